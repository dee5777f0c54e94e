"""What a policy is at some moment, as values that stay what they are when the policy changes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

from sekisho.policy.model import AclEntry, Domain, Namespace, Policy, Profile

ListKey = tuple[str, str]
"""A list of a namespace: the field it is in, and the group it is of (empty for a list that is the field itself)."""

_LISTS = ("transitions", "aggregators", "denied_ports")
_GROUPS = ("path_groups", "number_groups", "address_groups")


@dataclass(frozen=True, slots=True)
class DomainState:
    """A domain; its entries are values, so that keeping them keeps the past."""

    profile: int
    groups: frozenset[int]
    quota_exceeded: bool
    transition_failed: bool
    entries: tuple[AclEntry, ...]


@dataclass(frozen=True, slots=True)
class NamespaceState:
    """A namespace; lists without members aren't mentioned."""

    profiles: dict[int, Profile] = field(default_factory=dict)
    lists: dict[ListKey, tuple[Hashable, ...]] = field(default_factory=dict)
    acl_groups: dict[int, tuple[AclEntry, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole policy, but for domains that are deleted."""

    domains: dict[str, DomainState] = field(default_factory=dict)
    namespaces: dict[str, NamespaceState] = field(default_factory=dict)
    managers: tuple[str, ...] = ()
    manage_by_non_root: bool = False


def snapshot(policy: Policy) -> Snapshot:
    """What ``policy`` is now."""
    return Snapshot(
        {domain.name: _domain(domain) for domain in policy.domains.values() if not domain.deleted},
        {namespace.name: _namespace(namespace) for namespace in policy.namespaces.values()},
        tuple(policy.managers),
        policy.manage_by_non_root,
    )


def copied(profile: Profile) -> Profile:
    """A profile that is the same now and changes by itself."""
    return replace(profile, configs=dict(profile.configs))


def list_of(namespace: Namespace, key: ListKey) -> list[Hashable]:
    """The list ``key`` itself, made empty if there was none."""
    held, group = getattr(namespace, key[0]), key[1]
    found: list[Hashable] = held.setdefault(group, []) if group else held
    return found


def _domain(domain: Domain) -> DomainState:
    groups, entries = frozenset(domain.groups), tuple(domain.entries)
    return DomainState(domain.profile, groups, domain.quota_exceeded, domain.transition_failed, entries)


def _namespace(namespace: Namespace) -> NamespaceState:
    return NamespaceState(
        {number: copied(profile) for number, profile in namespace.profiles.items()},
        {key: tuple(members) for key, members in _lists(namespace) if members},
        {number: tuple(holder.entries) for number, holder in namespace.acl_groups.items() if holder.entries},
    )


def _lists(namespace: Namespace) -> Iterator[tuple[ListKey, list[Hashable]]]:
    for name in _LISTS:
        yield (name, ""), getattr(namespace, name)
    for name in _GROUPS:
        for group, members in getattr(namespace, name).items():
            yield (name, group), members
