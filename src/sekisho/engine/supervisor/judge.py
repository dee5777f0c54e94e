"""From requests to a verdict: decide, record, learn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from sekisho.decide.decision import Decision
from sekisho.decide.evaluate import decide
from sekisho.decide.request import Facts, Request
from sekisho.learn.observe import learn
from sekisho.learn.rewrite import RewriteRules
from sekisho.policy.model import AclEntry, Domain, Mode, Policy

_REFUSED: Final = Decision(
    granted=False, mode=Mode.ENFORCING, entry=None, matched=None, grant_log=False, reject_log=True, cacheable=False
)


@dataclass(slots=True)
class Judge:
    """Holds the policy of one run. ``sink(domain, request, decision)`` receives what is to be audited."""

    policy: Policy
    rewrite: RewriteRules
    sink: Callable[[Domain, Request, Decision], None]
    note: Callable[[Domain, str, Facts], None]
    """Receives lines about a domain itself: ``quota_exceeded``, ``use_profile 1``..."""
    learned: Callable[[Domain, AclEntry], None]
    """Receives each new entry."""
    violated: Callable[[Mode], None]
    """Is told the mode of each request that no entry granted."""
    repeatable: bool = False

    def allows(self, domain: Domain, requests: Iterable[Request]) -> bool:
        """Whether every request may happen; what learning mode sees for the first time is learned.

        ``repeatable`` then says whether the same requests would be granted again without a word.
        """
        repeatable = True
        self.repeatable = False
        for request in requests:
            decision = decide(self.policy, domain, request)
            if not self.allows_decided(domain, request, decision):
                return False
            repeatable = repeatable and decision.granted and decision.cacheable and not decision.grant_log
        self.repeatable = repeatable
        return True

    def allows_decided(self, domain: Domain, request: Request, decision: Decision) -> bool:
        """The same for one request whose decision is known."""
        if decision.granted:
            if decision.grant_log:
                self.sink(domain, request, decision)
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
        if decision.reject_log:
            self.sink(domain, request, decision)
        self.violated(mode)
        if mode is Mode.LEARNING:
            result = learn(self.policy, domain, request, self.rewrite)
            if result.added is not None:
                self.learned(domain, result.added)
            if result.quota_exceeded_now:
                self.note(domain, "quota_exceeded", request.facts)
        return mode is not Mode.ENFORCING
