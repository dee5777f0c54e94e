"""Policy in force: what has changed goes to the kernel such that no request ever sees half of it.

Names, domains and whole lists come first, which nobody refers to yet. Then one store makes them hold: of the list in a
domain's binding where nothing else has changed, else of the book, which has been filled beside the one that held. What
no longer holds goes later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.book import GroupSet, domain_flags, group_entries, group_set
from sekisho.engine.lsm.compile.namespaces import aggregators
from sekisho.engine.lsm.publish.books import Books
from sekisho.engine.lsm.publish.domains import Domains
from sekisho.engine.lsm.publish.groups import Groups
from sekisho.engine.lsm.publish.lists import Listed, Lists
from sekisho.engine.lsm.publish.maps import Maps
from sekisho.engine.lsm.publish.names import Names
from sekisho.policy.model import AclEntry, Domain, Namespace, Policy
from sekisho.policy.printer import print_acl

_Version = tuple[object, ...]
"""What a list was made of: while it is equal, so is the list."""


@dataclass(slots=True)
class _Kept:
    """A list that holds, and what it was made of."""

    version: _Version = ()
    listed: Listed = field(default_factory=Listed)


class Interning:
    """Ids of names and domains, as the compiler asks for them."""

    def __init__(self, names: Names, domains: Domains) -> None:
        self.name = names.name
        self.domain = domains.domain


class Publisher:
    """Keeps the kernel's maps as policy is. Lists are compiled only when they have changed."""

    def __init__(self, maps: Maps) -> None:
        """Names and domains that the kernel has are known; nothing of policy is there yet."""
        self.maps = maps
        self.names = Names(maps)
        self.names.load()
        self.domains = Domains(maps, self.names)
        self.domains.load()
        self._interning = Interning(self.names, self.domains)
        self.lists = Lists(maps, self.names, self._interning)
        self.books = Books(maps, self.domains, self._interning)
        self._own: dict[str, _Kept] = {}
        self._shared: dict[GroupSet, _Kept] = {}
        self._aggregators: dict[str, _Kept] = {}
        self._namespaces: _Version = ()
        self._known: list[Namespace] = []
        """Those namespaces: as long as they are known, no others are taken for them."""
        self._groups = Groups()
        self._dropped: list[Listed] = []
        self.trouble: dict[str, str] = {}
        """What the kernel can't be given, and why: it grants less there than policy says, or as it did before."""

    def publish(self, policy: Policy, only: Iterable[Domain] | None = None) -> int:
        """Policy holds; of domains only these are looked at, if given. How many bindings have changed."""
        namespaces = self._version(policy)
        everything = only is None or namespaces != self._namespaces
        if namespaces != self._namespaces:
            self.books.read(policy)
            self._known = list(policy.namespaces.values())
        chosen = list(policy.domains.values() if everything or only is None else only)
        bindings = {self.domains.domain(domain.name): self._binding(policy, domain) for domain in chosen}
        new = [domain for domain in chosen if not self._exists(self.domains.domain(domain.name))]
        self._introduce(new, bindings)
        self._describe(policy, chosen)
        if new:
            # The kernel may have been about to make one of them, and have written what such a domain has after us.
            self.maps.settle()
            self._introduce(new, bindings)
        if everything:
            self._forget(policy)
        if namespaces != self._namespaces or not self.books.can_patch(bindings):
            lists = {name: self._aggregator(namespace) for name, namespace in policy.namespaces.items()}
            changed = self.books.replace(policy, bindings, lists)
            self._namespaces = namespaces
        else:
            changed = self.books.patch(bindings)
        for listed in self._dropped:
            self.lists.drop(listed)
        self._dropped.clear()
        return changed

    @property
    def wasteful(self) -> bool:
        """Whether ``collect`` has something to do."""
        return self.lists.waiting > 0

    def collect(self) -> None:
        """What doesn't hold any more is gone. This waits for the kernel a few hundredths of a second."""
        self.lists.collect()

    def _version(self, policy: Policy) -> _Version:
        spaces = tuple((name, id(space), space.generation) for name, space in policy.namespaces.items())
        return (*spaces, *policy.managers)

    def _exists(self, number: int) -> bool:
        return bool(self.domains.record(number).flags & layout.DOMAIN_EXISTS)

    def _introduce(self, new: Iterable[Domain], bindings: Mapping[int, layout.Binding]) -> None:
        for domain in new:
            number = self.domains.domain(domain.name)
            self.books.introduce(number, domain, bindings[number])

    def _describe(self, policy: Policy, chosen: Iterable[Domain]) -> None:
        managers = set(policy.managers)
        for domain in chosen:
            # A manager is named by its domain, or by the program that it runs.
            manages = not managers.isdisjoint((domain.name, domain.name.rpartition(" ")[2]))
            flags = domain_flags(domain) | manages * layout.DOMAIN_MANAGER
            self.domains.describe(self.domains.domain(domain.name), flags)

    def _forget(self, policy: Policy) -> None:
        """Domains that policy has no more: who is in one stays, with what there was; who comes later begins anew."""
        for name in [name for name in self._own if name not in policy.domains]:
            number = self.domains.domain(name)
            if number not in self.books.gone:
                self.domains.describe(number, 0)
                self.books.gone.add(number)
            elif self._exists(number):  # the kernel has made another of that name
                self.books.forget(number)
                self._dropped.append(self._own.pop(name).listed)

    def _binding(self, policy: Policy, domain: Domain) -> layout.Binding:
        namespace = policy.namespaces[domain.namespace]
        own = self._list(
            self._own.setdefault(domain.name, _Kept()),
            (domain, domain.generation, self._groups.version(namespace)),
            lambda: domain.entries,
            namespace,
            domain.name,
        )
        slot = self.books.slot(domain)
        flags = layout.BINDING_FULL if domain.quota_exceeded else 0
        return layout.Binding(own.number, self._group_list(policy, domain).number, slot, flags)

    def _group_list(self, policy: Policy, domain: Domain) -> Listed:
        groups = group_set(policy, domain)
        if groups is None:
            return Listed()
        namespace = policy.namespaces[groups[0]]
        held = [namespace.acl_groups[number] for number in groups[1]]
        generations = tuple((group, group.generation) for group in held)
        version = (self._groups.version(namespace), generations)
        return self._list(
            self._shared.setdefault(groups, _Kept()),
            version,
            lambda: group_entries(policy, groups),
            namespace,
            f"{groups[0]} acl_group {' '.join(map(str, groups[1]))}",
        )

    def _list(
        self, kept: _Kept, version: _Version, entries: Callable[[], list[AclEntry]], namespace: Namespace, what: str
    ) -> Listed:
        if kept.version != version:
            try:
                made = entries()
                listed = self.lists.compile(made, namespace)
                self._report(what, [print_acl(made[place]) for place in listed.incomplete])
            except ValueError as error:
                self.trouble[what] = str(error)
                return kept.listed
            self._dropped.append(kept.listed)
            kept.version, kept.listed = version, listed
        return kept.listed

    def _report(self, what: str, lines: list[str]) -> None:
        """What the kernel side can't be told in full is known by name; the first few lines will do."""
        self.trouble.pop(what, None)
        if lines:
            shown = ", ".join(lines[:3]) + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")
            self.trouble[what] = f"too large for the kernel, and granting less than they say: {shown}"

    def _aggregator(self, namespace: Namespace) -> int:
        kept = self._aggregators.setdefault(namespace.name, _Kept())
        version = tuple(namespace.aggregators)
        if kept.version != version:
            listed = Listed()
            try:
                if namespace.aggregators:
                    listed = self.lists.add(aggregators(namespace, self._interning, self.lists.automata))
            except ValueError as error:
                self.trouble[f"{namespace.name} aggregator"] = f"{error}: programs go by their own names"
            for _, name in namespace.aggregators:
                self.names.replaces(self.names.word(name))
            self._dropped.append(kept.listed)
            kept.version, kept.listed = version, listed
        return kept.listed.number
