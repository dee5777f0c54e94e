"""Carrying what was learned over to a policy that somebody else may have changed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.policy.edit import add_entry, ensure_domain
from sekisho.policy.model import AclEntry, Domain, Policy


@dataclass(frozen=True, slots=True)
class DomainState:
    """What a domain was at some moment; its entries are values, so that keeping them keeps the past."""

    profile: int
    groups: frozenset[int]
    quota_exceeded: bool
    transition_failed: bool
    entries: tuple[AclEntry, ...]


Snapshot = dict[str, DomainState]


def snapshot(policy: Policy) -> Snapshot:
    """What the domains of ``policy`` are now."""
    return {domain.name: _state(domain) for domain in tuple(policy.domains.values()) if not domain.deleted}


def _state(domain: Domain) -> DomainState:
    groups, entries = frozenset(domain.groups), tuple(domain.entries)
    return DomainState(domain.profile, groups, domain.quota_exceeded, domain.transition_failed, entries)


def carry_over(before: Snapshot, now: Snapshot, policy: Policy) -> bool:
    """``policy`` has all that came into ``now`` since ``before``; True if it hadn't.

    Nothing is taken out of ``policy``: what its other writers added stays, and so does what they removed stay away
    unless it was learned anew.
    """
    changed = False
    for name, state in now.items():
        earlier = before.get(name)
        if state != earlier:
            changed |= _carry_domain(name, earlier, state, policy)
    return changed


def _carry_domain(name: str, before: DomainState | None, now: DomainState, policy: Policy) -> bool:
    known = policy.domains.get(name)
    is_new = known is None or known.deleted
    domain = ensure_domain(policy, name)
    old = before or DomainState(now.profile, frozenset(), False, False, ())
    changed = is_new
    if is_new or old.profile != now.profile:
        changed |= domain.profile != now.profile
        domain.profile = now.profile
    if is_new:
        domain.groups |= now.groups
    elif not domain.groups >= now.groups - old.groups:
        changed = True
        domain.groups |= now.groups - old.groups
    if now.quota_exceeded > max(old.quota_exceeded, domain.quota_exceeded):
        changed = domain.quota_exceeded = True
    if now.transition_failed > max(old.transition_failed, domain.transition_failed):
        changed = domain.transition_failed = True
    seen = set(map(id, old.entries))
    for entry in now.entries:
        if id(entry) not in seen:
            changed |= add_entry(domain, entry)
    return changed
