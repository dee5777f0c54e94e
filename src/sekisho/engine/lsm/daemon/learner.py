"""What becomes of events: policy is learned, records are written, by the core that decides for every engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sekisho.decide.decision import Decision
from sekisho.decide.evaluate import decide
from sekisho.decide.request import Facts, Request
from sekisho.domain.transition import ManualTransition, creation_lines, enter
from sekisho.engine.judge import Judge, Nobody
from sekisho.engine.keeping import Keeper
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon import events
from sekisho.engine.lsm.daemon.events import Event
from sekisho.engine.lsm.daemon.questions import Questions
from sekisho.engine.lsm.guards import OWN_DOMAIN
from sekisho.engine.lsm.publish.domains import Domains
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Mode, Policy

_KERNEL: Final = "<kernel>"
_KEYWORDS: Final = tuple(OPERATIONS)


@dataclass(slots=True)
class Tally:
    """How many events came to what."""

    events: int = 0
    learned: int = 0
    known: int = 0
    """They asked for what had been learned already, before the kernel side knew."""
    overtaken: int = 0
    """They came from a mode that policy has left since."""
    stray: int = 0
    """No request or domain could be made of them."""
    unnameable: int = 0


@dataclass(slots=True)
class Learner:
    """Takes events one by one. ``changed`` is called with each domain that has become otherwise."""

    policy: Policy
    keeper: Keeper
    judge: Judge[Nobody]
    domains: Domains
    changed: Callable[[Domain], None]
    questions: Questions | None = None
    """What is told of requests that wait for an answer."""
    ignored: set[int] = field(default_factory=set)
    """Domains that are the engine's own affair."""
    tally: Tally = field(default_factory=Tally)

    def take(self, raw: bytes | memoryview) -> None:
        """The event is dealt with; one that can't be understood is counted."""
        self.tally.events += 1
        try:
            event = events.read(raw)
        except ValueError:
            self.tally.stray += 1
            return
        if event.header.domain in self.ignored:
            return
        if event.kind == layout.EVENT_REQUEST:
            self._request(event)
        elif event.kind == layout.EVENT_DOMAIN:
            self.domains.told(event.header.numbers[0], event.texts[0])
            self.adopt(event.header.domain, events.facts_of(event, None))
        elif event.kind == layout.EVENT_FAILED:
            self._failed(event)
        elif event.kind == layout.EVENT_UNNAMEABLE:
            self._unnameable(event)

    def _request(self, event: Event) -> None:
        domain = self._domain(event.header.domain)
        request = events.request_of(event, self.domains.name) if domain is not None else None
        asked = event.header.flags & layout.EVENT_QUESTION
        if domain is None or request is None:
            self.tally.stray += 1
            if asked and self.questions is not None:
                self.questions.stray(event.header)
        elif event.header.granted:
            self.judge.sink(domain, request, _as_told(event, granted=True))
        elif event.mode is Mode.LEARNING:
            self._learn(domain, request)
        else:
            self._refused(domain, request, event)
            if asked and self.questions is not None:
                self.questions.asked(event.header, domain, request)

    def _learn(self, domain: Domain, request: Request) -> None:
        decision = decide(self.policy, domain, request)
        if decision.granted:
            self.tally.known += 1
        elif decision.mode is not Mode.LEARNING:
            self.tally.overtaken += 1
        else:
            entries, full = domain.generation, domain.quota_exceeded
            self.judge.settle(domain, request, decision)
            if domain.generation != entries:
                self.tally.learned += domain.quota_exceeded == full
                self.changed(domain)

    def _refused(self, domain: Domain, request: Request, event: Event) -> None:
        """What the kernel said stands, whatever policy has become since."""
        if self.policy.config(domain, request.operation.profile).reject_log:
            self.judge.sink(domain, request, _as_told(event, granted=False))
        self.judge.violated(event.mode)

    def adopt(self, number: int, facts: Facts | None = None) -> Domain | None:
        """A domain that the kernel has made is in policy, too, with the profile and the groups of its creator's."""
        if number in self.ignored or not self.domains.record(number).flags & layout.DOMAIN_EXISTS:
            return None
        name = self.domains.name(number)
        # What an earlier start's own processes did is told to the next where that one came to read nothing any more.
        if name is None or name.partition(" ")[0] == OWN_DOMAIN:
            self.tally.stray += 1
            return None
        known = self.policy.domains.get(name)
        if known is not None:
            return known
        creator = self._domain(self.domains.record(number).creator) or self.policy.domains[_KERNEL]
        created = enter(self.policy, ManualTransition(name, True, None), creator)
        for line in creation_lines(created):
            self.keeper.note(created, line, facts or Facts())
        self.keeper.updated(by_hand=True)
        self.changed(created)
        return created

    def _failed(self, event: Event) -> None:
        domain = self._domain(event.header.domain)
        if domain is not None and not domain.transition_failed:
            domain.transition_failed = True
            domain.generation += 1
            self.keeper.note(domain, "transition_failed", events.facts_of(event, None))
            self.keeper.updated(by_hand=True)
            self.changed(domain)

    def _unnameable(self, event: Event) -> None:
        """No entry can be about it, so nothing is learned; but whoever wonders why it is refused finds it told."""
        self.tally.unnameable += 1
        domain = self._domain(event.header.domain)
        if domain is not None and event.header.operation < len(_KEYWORDS):
            self.keeper.note(domain, f"unnameable {_KEYWORDS[event.header.operation]}", events.facts_of(event, None))

    def _domain(self, number: int) -> Domain | None:
        """The domain of policy that ``number`` means; one that the kernel made without our hearing of it is made."""
        if not number:
            return None
        name = self.domains.name(number)
        known = self.policy.domains.get(name or "")
        return known if known is not None else self.adopt(number)


def _as_told(event: Event, *, granted: bool) -> Decision:
    return Decision(granted, event.mode, None, None, granted, not granted, False)
