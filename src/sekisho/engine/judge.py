"""From requests to a verdict: decide, record, learn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from sekisho.decide.decision import Decision
from sekisho.decide.evaluate import decide
from sekisho.decide.request import Facts, Request
from sekisho.learn.observe import learn
from sekisho.learn.rewrite import RewriteRules
from sekisho.policy.model import AclEntry, Domain, Mode, Policy

_REFUSED: Final = Decision(
    granted=False, mode=Mode.ENFORCING, entry=None, matched=None, grant_log=False, reject_log=True, cacheable=False
)


class Asker(Protocol):
    """Who asks the administrator what to do with requests that policy refuses."""

    observers: int
    """How many are there to be asked."""

    def verdict(self, domain: Domain, request: Request) -> bool | None:
        """What the administrator has said of this request; None where nothing was said."""

    def ask(self, domain: Domain, request: Request, decision: Decision) -> None:
        """The request is held back, by an exception, where somebody can be asked; otherwise nothing has happened."""


class Nobody:
    """Nobody is ever asked."""

    observers = 0

    def verdict(self, domain: Domain, request: Request) -> bool | None:
        """Nothing was said."""
        return None

    def ask(self, domain: Domain, request: Request, decision: Decision) -> None:
        """Nothing has happened."""


AskerT = TypeVar("AskerT", bound=Asker)


@dataclass(slots=True)
class Judge(Generic[AskerT]):
    """Holds the policy of one run, and what it tells others of its decisions."""

    policy: Policy
    rewrite: RewriteRules
    sink: Callable[[Domain, Request, Decision], None]
    """Receives what is to be audited."""
    note: Callable[[Domain, str, Facts], None]
    """Receives lines about a domain itself: ``quota_exceeded``, ``use_profile 1``..."""
    learned: Callable[[Domain, AclEntry], None]
    """Receives each new entry."""
    violated: Callable[[Mode], None]
    """Is told the mode of each request that no entry granted."""
    questions: AskerT
    is_full: Callable[[], bool] = lambda: False
    """Whether policy takes all the memory it may, so that nothing more is learned."""
    repeatable: bool = False
    """The last requests allowed would be allowed again without a word."""
    penalty: int = 0
    """Tenths of a second that the last refusal is to be held back."""
    by_hand: bool = False
    """Among the last requests allowed was one that the administrator has allowed, and no entry grants."""
    transition: str | None = None
    """Where the last of the granting entries says to move (``auto_domain_transition``)."""

    def allows(self, domain: Domain, requests: Iterable[Request]) -> bool:
        """Whether every request may happen; what learning mode sees for the first time is learned.

        ``repeatable`` then says whether the same requests would be granted again without a word. What asks the
        administrator first raises an exception of its own.
        """
        repeatable = True
        self.repeatable, self.by_hand, self.transition = False, False, None
        for request in requests:
            decision = decide(self.policy, domain, request)
            if not self.allows_decided(domain, request, decision):
                return False
            repeatable = repeatable and decision.granted and decision.cacheable and not decision.grant_log
        self.repeatable = repeatable and self.transition is None
        return True

    def allows_decided(self, domain: Domain, request: Request, decision: Decision) -> bool:
        """The same for one request whose decision is known."""
        if decision.granted:
            if decision.grant_log:
                self.sink(domain, request, decision)
            if decision.entry is not None and decision.entry.transition is not None:
                self.transition = decision.entry.transition
            return True
        return self.settle(domain, request, decision)

    def refuse(self, domain: Domain, request: Request) -> None:
        """``request`` is refused whatever policy says, and recorded."""
        self.violated(Mode.ENFORCING)
        self.sink(domain, request, _REFUSED)

    def settle(self, domain: Domain, request: Request, decision: Decision) -> bool:
        """What a request that no entry grants comes to in its mode (spec a.6)."""
        mode = decision.mode
        if mode is Mode.DISABLED:
            return True
        if mode is Mode.ENFORCING:
            return self._enforce(domain, request, decision)
        if decision.reject_log:
            self.sink(domain, request, decision)
        self.violated(mode)
        if mode is Mode.LEARNING and not self.is_full():
            result = learn(self.policy, domain, request, self.rewrite)
            if result.added is not None:
                self.learned(domain, result.added)
            if result.quota_exceeded_now:
                self.note(domain, "quota_exceeded", request.facts)
        return True

    def _enforce(self, domain: Domain, request: Request, decision: Decision) -> bool:
        """Whether the administrator has allowed it; raises Held to ask."""
        verdict = self.questions.verdict(domain, request)
        if verdict is not None:
            self.penalty = 0
            self.by_hand = self.by_hand or verdict
            return verdict
        if decision.reject_log:
            self.sink(domain, request, decision)
        self.violated(Mode.ENFORCING)
        self.questions.ask(domain, request, decision)
        profile = self.policy.namespaces[domain.namespace].profiles.get(domain.profile)
        self.penalty = profile.enforcing_penalty if profile is not None and not self.questions.observers else 0
        return False
