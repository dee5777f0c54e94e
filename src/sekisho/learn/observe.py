"""Learning mode: a request that no entry granted becomes an entry (spec a.6, h)."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.decide.request import Request
from sekisho.decide.view import view_of
from sekisho.learn.generaliser import Generaliser
from sekisho.policy.edit import add_entry
from sekisho.policy.model import AclEntry, Domain, Name, Policy, Profile


@dataclass(frozen=True, slots=True)
class LearnResult:
    """``added`` is the entry that grants the request from now on, None if nothing was learned.

    ``quota_exceeded_now`` is true the one time that the domain's quota turned out to be used up.
    """

    added: AclEntry | None
    quota_exceeded_now: bool = False


def learn(policy: Policy, domain: Domain, request: Request, rewrite: Generaliser) -> LearnResult:
    """Makes ``domain`` grant ``request``, unless its quota is used up or the request can't be written as policy."""
    if request.operation.category == "task" or domain.quota_exceeded:
        return LearnResult(None)
    view = view_of(policy, domain)
    profile = view.namespace.profiles.get(domain.profile) or Profile()
    if view.permissions >= profile.max_learning_entry:
        domain.quota_exceeded = True
        domain.generation += 1
        return LearnResult(None, quota_exceeded_now=True)
    suggestion = rewrite.apply(request)
    if any(isinstance(operand, Name) and not operand.text for operand in suggestion.operands):
        # An empty name (an environment string that begins with =) has no form in policy.
        return LearnResult(None)
    entry = AclEntry((request.operation,), suggestion.operands, None, suggestion.conditions)
    add_entry(domain, entry)
    return LearnResult(entry)
