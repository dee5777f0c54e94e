"""What comes of a request besides its answer: moves that policy makes by itself, and execute handlers."""

from __future__ import annotations

from sekisho.decide.decision import Decision
from sekisho.decide.request import Request
from sekisho.domain.automatic import automatic_transition, entry_transition
from sekisho.domain.handlers import auto_handler, denied_handler
from sekisho.domain.transition import ManualTransition
from sekisho.policy.model import Domain, Policy


def move_before(policy: Policy, domain: Domain, request: Request) -> ManualTransition | None:
    """Where ``task auto_domain_transition`` sends whoever is about to make ``request`` in ``domain``; None to stay."""
    return automatic_transition(policy, domain, request.facts)


def move_after(policy: Policy, domain: Domain, decision: Decision) -> ManualTransition | None:
    """Where the entry that granted the request sends whoever made it; None to stay."""
    return None if decision.transition is None else entry_transition(policy, domain, decision.transition)


def arrived(policy: Policy, domain: Domain, move: ManualTransition) -> Domain:
    """The domain that ``move`` leads to, as it is or as it would be made; nothing is made."""
    existing = policy.domains.get(move.destination)
    return existing or Domain(move.destination, domain.profile, set(domain.groups))


def handler(policy: Policy, domain: Domain, request: Request, decision: Decision) -> str | None:
    """The program that would run in place of the one asked for; None where that one would, or nothing."""
    if request.operation.keyword != "file execute":
        return None
    taken = auto_handler(policy, domain, request.facts)
    return taken if taken or decision.allowed else denied_handler(policy, domain, request.facts)


def tell_before(domain: Domain, move: ManualTransition) -> str:
    """The move in a sentence."""
    if move.failure is None:
        return f"It would first move to {move.destination} (task auto_domain_transition of {domain.name})."
    return f"It would be killed: it has to move to {move.destination} first, which can't be had ({move.failure})."


def tell_after(move: ManualTransition) -> str:
    """The move in a sentence."""
    if move.failure is None:
        return f"It would move to {move.destination} then."
    return f"It would be killed: it has to move to {move.destination} then, which can't be had ({move.failure})."
