"""A whole policy compiled: what fills a book, but for the ids of lists, which publishing gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import Interner
from sekisho.engine.lsm.compile.lists import CompiledList, compile_list
from sekisho.engine.lsm.compile.namespaces import aggregators, controls
from sekisho.engine.lsm.compile.profiles import Profiles
from sekisho.engine.lsm.compile.regions import Regions
from sekisho.policy.model import AclEntry, Domain, Namespace, Policy

GroupSet = tuple[str, tuple[int, ...]]
"""A namespace and the numbers of those of its acl_groups that have entries, ascending."""


@dataclass(slots=True)
class CompiledNamespace:
    """``controls`` by (program, domain); ``aggregators`` is None where there are none."""

    controls: dict[tuple[int, int], int]
    aggregators: CompiledList | None


@dataclass(slots=True)
class CompiledPolicy:
    """Everything that decisions and transitions depend on.

    ``problems`` say, by domain or acl_groups, which list is too large for the kernel: it grants nothing. Where the
    aggregators of a namespace are, programs go by their own names.
    """

    profiles: Profiles
    namespaces: dict[str, CompiledNamespace] = field(default_factory=dict)
    lists: dict[str, CompiledList] = field(default_factory=dict)
    """By domain; only of those that have entries."""
    shared: dict[GroupSet, CompiledList] = field(default_factory=dict)
    problems: dict[str | GroupSet, str] = field(default_factory=dict)


def compile_policy(policy: Policy, interner: Interner, regions: Regions) -> CompiledPolicy:
    """All of ``policy``; every domain in it has an id afterwards, given in the order of policy."""
    result = CompiledPolicy(Profiles(policy))
    for name, namespace in policy.namespaces.items():
        interner.domain(name)
        named = None
        try:
            named = aggregators(namespace, interner, regions) if namespace.aggregators else None
        except ValueError as error:
            result.problems[f"aggregators of {name}"] = str(error)
        result.namespaces[name] = CompiledNamespace(controls(namespace, interner), named)
    for domain in policy.domains.values():
        interner.domain(domain.name)
        namespace = policy.namespaces[domain.namespace]
        if domain.entries:
            result.lists[domain.name] = _or_none(result, domain.name, domain.entries, namespace, interner, regions)
        groups = group_set(policy, domain)
        if groups is not None and groups not in result.shared:
            entries = group_entries(policy, groups)
            result.shared[groups] = _or_none(result, groups, entries, namespace, interner, regions)
    return result


def _or_none(
    result: CompiledPolicy,
    owner: str | GroupSet,
    entries: list[AclEntry],
    namespace: Namespace,
    interner: Interner,
    regions: Regions,
) -> CompiledList:
    """The list; one that grants nothing, and a problem, where it is too large."""
    try:
        return compile_list(entries, namespace, interner, regions)
    except ValueError as error:
        result.problems[owner] = str(error)
        return CompiledList(layout.List())


def group_set(policy: Policy, domain: Domain) -> GroupSet | None:
    """The acl_groups that the domain's list of groups' entries is made of; None where there are no entries."""
    held = policy.namespaces[domain.namespace].acl_groups
    numbers = tuple(number for number in sorted(domain.groups) if number in held and held[number].entries)
    return (domain.namespace, numbers) if numbers else None


def group_entries(policy: Policy, groups: GroupSet) -> list[AclEntry]:
    """All entries of the acl_groups, in the order in which they are asked."""
    namespace, numbers = groups
    held = policy.namespaces[namespace].acl_groups
    return [entry for number in numbers for entry in held[number].entries]


def domain_flags(domain: Domain) -> int:
    """What the kernel side has to know of a domain that there is."""
    failed = layout.DOMAIN_TRANSITION_FAILED if domain.transition_failed else 0
    return 0 if domain.deleted else layout.DOMAIN_EXISTS | failed
