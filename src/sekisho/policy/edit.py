"""Changes to a policy: entries that merge as they come in, domains and namespaces made on demand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Final

from sekisho.policy.grammar import OPERATIONS, Operation
from sekisho.policy.model import AclEntry, Domain, Namespace, Policy

_RANK: Final = {keyword: rank for rank, keyword in enumerate(OPERATIONS)}


def identity(entry: AclEntry) -> Hashable:
    """What two entries have in common if they are one entry with different operations (spec c)."""
    suffixes = (entry.preference, entry.conditions, entry.grant_log, entry.transition)
    return (entry.operations[0].group, entry.operands, suffixes)


def in_table_order(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The operations in the grammar's order, each once."""
    return tuple(sorted(set(operations), key=lambda operation: _RANK[operation.keyword]))


def add_entry(domain: Domain, entry: AclEntry) -> bool:
    """``domain`` grants all that ``entry`` grants; True if it didn't before.

    An entry that differs in its operations only gains them and keeps its place; else ``entry`` is put last.
    """
    places = _places(domain)
    key = identity(entry)
    serial = places.get(key)
    if serial is None:
        places[key] = domain.serials[-1] + 1 if domain.serials else 0
        domain.serials.append(places[key])
        domain.entries.append(entry)
    else:
        place = bisect_left(domain.serials, serial)
        present = domain.entries[place]
        operations = in_table_order(present.operations + entry.operations)
        if operations == present.operations:
            return False
        domain.entries[place] = _with_operations(present, operations)
    domain.generation += 1
    return True


def delete_entry(domain: Domain, entry: AclEntry) -> bool:
    """The entry that is ``entry`` but for operations has lost these operations, or is gone if it had no others.

    True if that changed anything.
    """
    places = _places(domain)
    key = identity(entry)
    serial = places.get(key)
    if serial is None:
        return False
    place = bisect_left(domain.serials, serial)
    present = domain.entries[place]
    left = tuple(operation for operation in present.operations if operation not in entry.operations)
    if left == present.operations:
        return False
    if left:
        domain.entries[place] = _with_operations(present, left)
    else:
        del domain.entries[place], domain.serials[place], places[key]
    domain.generation += 1
    return True


def ensure_namespace(policy: Policy, name: str) -> Namespace:
    """The namespace ``name``, made empty if there was none."""
    namespace = policy.namespaces.get(name)
    if namespace is None:
        namespace = policy.namespaces[name] = Namespace(name)
    return namespace


def ensure_domain(policy: Policy, name: str) -> Domain:
    """The domain ``name``, made with profile 0 and no groups if there was none; its namespace exists too."""
    domain = policy.domains.get(name)
    if domain is None:
        domain = policy.domains[name] = Domain(name)
        ensure_namespace(policy, domain.namespace)
    return domain


def delete_domain(policy: Policy, name: str) -> bool:
    """No domain ``name`` is listed any more; who is in it stays in it. ``<kernel>`` can't be deleted."""
    if name == "<kernel>" or name not in policy.domains:
        return False
    domain = policy.domains.pop(name)
    domain.deleted = True
    domain.generation += 1
    return True


def ensure_acl_group(namespace: Namespace, number: int) -> Domain:
    """The holder of the entries of ``acl_group number``, made empty if there was none."""
    group = namespace.acl_groups.get(number)
    if group is None:
        group = namespace.acl_groups[number] = Domain(f"acl_group {number}")
    return group


def _with_operations(entry: AclEntry, operations: tuple[Operation, ...]) -> AclEntry:
    return replace(entry, operations=operations)


def _places(domain: Domain) -> dict[Hashable, int]:
    """Identity to serial number of each entry; made anew, merging what is one, if entries came in some other way."""
    if len(domain.places) == len(domain.entries) == len(domain.serials):
        return domain.places
    domain.places = {}
    merged: list[AclEntry] = []
    for entry in domain.entries:
        place = domain.places.setdefault(identity(entry), len(merged))
        if place == len(merged):
            merged.append(entry)
        else:
            present = merged[place]
            merged[place] = _with_operations(present, in_table_order(present.operations + entry.operations))
    domain.serials = list(range(len(merged)))
    if len(merged) < len(domain.entries):
        domain.entries[:] = merged
        domain.generation += 1
    return domain.places
