"""Carrying what changed here over to a policy that somebody else may have changed meanwhile.

Three policies meet: what was, what it is here now, and what others have made of it. What came in here is added there,
what went away here goes away there, and whatever else is there stays as it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import TypeVar

from sekisho.policy.edit import (
    add_entry,
    delete_domain,
    delete_entry,
    ensure_acl_group,
    ensure_domain,
    ensure_namespace,
    identity,
    in_table_order,
)
from sekisho.policy.grammar import Operation
from sekisho.policy.model import AclEntry, Config, Domain, Namespace, Policy, Profile
from sekisho.store.defaults import DOMAIN_POLICY, EXCEPTION_POLICY, MANAGER, PROFILE
from sekisho.store.snapshot import DomainState, NamespaceState, Snapshot, copied, list_of

Item = TypeVar("Item", bound=Hashable)
_KERNEL = "<kernel>"


def carry_over(before: Snapshot, now: Snapshot, policy: Policy) -> set[str]:
    """What became of ``before`` in ``now`` has become of ``policy``; the files that are otherwise than they were.

    A domain that went away here, but has learned elsewhere since, keeps what it learned.
    """
    changed = set()
    for name, namespace in now.namespaces.items():
        if namespace != before.namespaces.get(name):
            earlier = before.namespaces.get(name, NamespaceState())
            is_new = name not in policy.namespaces
            files = _carry_namespace(earlier, namespace, ensure_namespace(policy, name))
            # One that has nothing yet is told by its PROFILE_VERSION alone.
            changed |= files or ({PROFILE} if is_new else set())
    if _carry_domains(before, now, policy):
        changed.add(DOMAIN_POLICY)
        if _define_profiles(policy):
            changed.add(PROFILE)
    if _carry_list(before.managers, now.managers, policy.managers):
        changed.add(MANAGER)
    if now.manage_by_non_root not in (before.manage_by_non_root, policy.manage_by_non_root):
        policy.manage_by_non_root = now.manage_by_non_root
        changed.add(MANAGER)
    return changed


def _carry_domains(before: Snapshot, now: Snapshot, policy: Policy) -> bool:
    changed = False
    for name, earlier in before.domains.items():
        if name not in now.domains:
            changed |= _carry_deletion(name, earlier, policy)
    for name, state in now.domains.items():
        known = before.domains.get(name)
        if state != known:
            changed |= _carry_domain(name, known, state, policy)
    return changed


def _carry_deletion(name: str, before: DomainState, policy: Policy) -> bool:
    domain = policy.domains.get(name)
    if domain is None or name == _KERNEL:
        return False
    changed = _carry_entries(before.entries, (), domain)
    return (not domain.entries and delete_domain(policy, name)) or changed


def _carry_domain(name: str, before: DomainState | None, now: DomainState, policy: Policy) -> bool:
    is_new = name not in policy.domains
    domain = ensure_domain(policy, name)
    old = before or DomainState(now.profile, frozenset(), False, False, ())
    changed = is_new
    if is_new:
        domain.groups |= now.groups
    if domain.profile != now.profile and (is_new or old.profile != now.profile):
        domain.profile = now.profile
        changed = True
    groups = (domain.groups | (now.groups - old.groups)) - (old.groups - now.groups)
    if groups != domain.groups:
        domain.groups = groups
        changed = True
    if now.quota_exceeded not in (old.quota_exceeded, domain.quota_exceeded):
        domain.quota_exceeded = now.quota_exceeded
        changed = True
    if now.transition_failed not in (old.transition_failed, domain.transition_failed):
        domain.transition_failed = now.transition_failed
        changed = True
    domain.generation += changed
    return _carry_entries(old.entries, now.entries, domain) or changed


def _carry_entries(before: Iterable[AclEntry], now: Iterable[AclEntry], holder: Domain) -> bool:
    """Operation by operation, since an entry that gained or lost one is another value."""
    old, new = {id(entry): entry for entry in before}, {id(entry): entry for entry in now}
    had = _granted(entry for key, entry in old.items() if key not in new)
    has = _granted(entry for key, entry in new.items() if key not in old)
    changed = False
    for key, (entry, operations) in had.items():
        kept = has[key][1] if key in has else frozenset()
        if operations - kept:
            changed |= delete_entry(holder, _with(entry, operations - kept))
    for key, (entry, operations) in has.items():
        known = had[key][1] if key in had else frozenset()
        if operations - known:
            changed |= add_entry(holder, entry if not known else _with(entry, operations - known))
    return changed


def _granted(entries: Iterable[AclEntry]) -> dict[Hashable, tuple[AclEntry, frozenset[Operation]]]:
    return {identity(entry): (entry, frozenset(entry.operations)) for entry in entries}


def _with(entry: AclEntry, operations: Iterable[Operation]) -> AclEntry:
    return replace(entry, operations=in_table_order(operations))


def _carry_namespace(before: NamespaceState, now: NamespaceState, namespace: Namespace) -> set[str]:
    changed = set()
    for number, profile in now.profiles.items():
        if _carry_profile(before.profiles.get(number), profile, number, namespace):
            changed.add(PROFILE)
    for key in before.lists.keys() | now.lists.keys():
        old, new = before.lists.get(key, ()), now.lists.get(key, ())
        if old != new and _carry_list(old, new, list_of(namespace, key)):
            changed.add(EXCEPTION_POLICY)
    for group in before.acl_groups.keys() | now.acl_groups.keys():
        earlier, entries = before.acl_groups.get(group, ()), now.acl_groups.get(group, ())
        if earlier != entries and _carry_entries(earlier, entries, ensure_acl_group(namespace, group)):
            changed.add(EXCEPTION_POLICY)
    namespace.generation += bool(changed)
    return changed


def _carry_list(before: Iterable[Item], now: Iterable[Item], members: list[Item]) -> bool:
    old, new = dict.fromkeys(before), dict.fromkeys(now)
    present = dict.fromkeys(members)
    result = [member for member in present if member not in old or member in new]
    result += [member for member in new if member not in old and member not in present]
    if result == members:
        return False
    members[:] = result
    return True


def _carry_profile(before: Profile | None, now: Profile, number: int, namespace: Namespace) -> bool:
    profile = namespace.profiles.get(number)
    if profile is None:
        namespace.profiles[number] = copied(now)
        return True
    known = before or Profile()
    past = copied(profile)
    for name in ("comment", "max_audit_log", "max_learning_entry", "enforcing_penalty"):
        if getattr(now, name) != getattr(known, name):
            setattr(profile, name, getattr(now, name))
    for name in known.configs.keys() | now.configs.keys():
        _carry_config(known.configs.get(name), now.configs.get(name), name, profile)
    return profile != past


def _carry_config(before: Config | None, now: Config | None, name: str, profile: Profile) -> None:
    if now == before:
        return
    if now is None:
        profile.configs.pop(name, None)
    else:
        profile.configs[name] = now


def _define_profiles(policy: Policy) -> bool:
    """Profiles that domains have and nobody has defined hold nobody to anything; now they say so, since policy that
    leaves one out can't be loaded."""
    changed = False
    for domain in policy.domains.values():
        profiles = policy.namespaces[domain.namespace].profiles
        if domain.profile not in profiles:
            profiles[domain.profile] = Profile()
            changed = True
    return changed
