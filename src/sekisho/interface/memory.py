"""What memory policy takes, about: enough to hold a quota against, and the same whenever policy is the same.

Python doesn't tell what a value takes. The figures are what the memory of a process grew by, measured over policies of
ten thousand domains, plain entries and entries with conditions, the tables of ``decide`` included.
"""

from __future__ import annotations

from typing import Final

from sekisho.policy.model import Domain, Namespace, Policy
from sekisho.policy.printer import print_acl

_DOMAIN: Final = 800
_ENTRY: Final = 64
_CHARACTER: Final = 18
_MEMBER: Final = 300
_PROFILE: Final = 1000


class Meter:
    """Measures a policy again and again; a domain that hasn't changed since the last time costs nothing."""

    def __init__(self) -> None:
        self._known: dict[Domain, tuple[int, int]] = {}

    def measure(self, policy: Policy) -> int:
        """Bytes that the domains, groups and profiles of ``policy`` take; those of deleted domains don't count."""
        holders = list(policy.domains.values())
        for namespace in policy.namespaces.values():
            holders += namespace.acl_groups.values()
        self._known = {holder: self._measured(holder) for holder in holders}
        size = sum(bytes_ for _, bytes_ in self._known.values())
        return size + sum(map(_namespace, policy.namespaces.values())) + _MEMBER * len(policy.managers)

    def _measured(self, holder: Domain) -> tuple[int, int]:
        known = self._known.get(holder)
        if known is not None and known[0] == holder.generation:
            return known
        entries = _ENTRY * len(holder.entries) + _CHARACTER * sum(len(print_acl(entry)) for entry in holder.entries)
        return holder.generation, _DOMAIN + len(holder.name) + entries


def _namespace(namespace: Namespace) -> int:
    members = len(namespace.transitions) + len(namespace.aggregators) + len(namespace.denied_ports)
    members += sum(map(len, namespace.path_groups.values()))
    members += sum(map(len, namespace.number_groups.values()))
    members += sum(map(len, namespace.address_groups.values()))
    return _MEMBER * members + _PROFILE * len(namespace.profiles)
