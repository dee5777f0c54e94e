"""One list of entries compiled: all that the kernel side has to know to answer as ``decide`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.chains import settle
from sekisho.engine.lsm.compile.inet import AddressTable, octets
from sekisho.engine.lsm.compile.interning import Interner, word_id
from sekisho.engine.lsm.compile.items import EXECUTE, Item, ItemMaker, bits, mark_blocked
from sekisho.engine.lsm.compile.names import NameTable
from sekisho.engine.lsm.compile.regions import Places, Regions
from sekisho.engine.lsm.compile.rows import Body, RuleRow, clause_structure, rule_structure
from sekisho.policy.model import AclEntry, Name, Namespace

_EVERY: Final = -1
_AUTOMATIC: Final = 1 << layout.BITS["task auto_domain_transition"]


@dataclass(slots=True)
class CompiledList:
    """A list as it stands in maps, but for its id; ``origins`` are those of the automata that it refers to.

    ``incomplete`` are the entries that are too large for the kernel side: they grant nothing, or not all that they are
    about.

    ``pairs`` are (bit number, name's id, second); ``endpoints`` (bit number, port, version, address).
    """

    header: layout.List
    found: dict[int, layout.Found] = field(default_factory=dict)
    rules: list[layout.Rule] = field(default_factory=list)
    clauses: list[layout.Clause] = field(default_factory=list)
    ranges: list[layout.Range] = field(default_factory=list)
    intervals: list[layout.Interval] = field(default_factory=list)
    pairs: list[tuple[int, int, int]] = field(default_factory=list)
    endpoints: list[tuple[int, int, int, int]] = field(default_factory=list)
    origins: tuple[int, ...] = ()
    incomplete: tuple[int, ...] = ()


def compile_list(
    entries: Sequence[AclEntry], namespace: Namespace, interner: Interner, regions: Regions
) -> CompiledList:
    """The entries, in the order of policy, compiled; groups are those of ``namespace``.

    ``rule.entry`` is an entry's index in ``entries``. Raises ValueError where how the patterns begin is too much for
    the kernel side.
    """
    return _Compiler(namespace, interner, regions).compile(entries)


class _Compiler:
    def __init__(self, namespace: Namespace, interner: Interner, regions: Regions) -> None:
        self._interner = interner
        self._body = Body()
        self._places = Places(regions)
        self._maker = ItemMaker(namespace, interner, self._body, self._places)
        self._names = NameTable(namespace, interner, self._body, self._places, self._maker)
        self._addresses = AddressTable(namespace, self._body)
        self._header = layout.List()
        self._found: dict[int, tuple[int, int, int, int]] = {}

    def compile(self, entries: Sequence[AclEntry]) -> CompiledList:
        by_family: dict[str, list[Item]] = {family.name: [] for family in layout.FAMILIES}
        last: Name | None = None
        for index, source in enumerate(entries):
            family = layout.FAMILY_OF[source.operations[0].keyword]
            self._note(family, bits(source))
            if family is layout.NAME and bits(source) & EXECUTE:
                assert isinstance(source.operands[0], Name)
                last = source.operands[0]
            try:
                item = self._maker.make(index, source)
            except ValueError:
                self._names.incomplete.add(index)
                continue
            if item is not None:
                by_family[family.name].append(item)
        self._name_items(by_family[layout.NAME.name], last)
        self._address_items(by_family[layout.INET.name])
        self._domain_items(by_family[layout.DOMAIN.name])
        self._other_items(by_family[layout.NONE.name], by_family[layout.STANDING.name])
        return self._result()

    def _note(self, family: layout.Family, mask: int) -> None:
        if family is layout.NAME:
            self._header.names |= mask
        elif family is layout.INET:
            self._header.inet |= mask
        elif family is layout.DOMAIN:
            self._header.domains |= mask

    def _name_items(self, items: list[Item], last: Name | None) -> None:
        for item in items:
            self._names.add(item)
        if last is not None:
            self._header.flags |= layout.LIST_EXECUTES
            self._names.executes(last)
        self._names.finish()
        self._header.automaton = self._names.automaton

    def _address_items(self, items: list[Item]) -> None:
        mark_blocked(items)
        for item in items:
            self._addresses.add(item)
        self._addresses.finish()

    def _domain_items(self, items: list[Item]) -> None:
        # A request asks for a domain and all that it is below, so that any special entry before one may come first.
        mark_blocked(items)
        by_domain: dict[str, list[Item]] = {}
        for item in items:
            assert isinstance(item.lead, Name)
            by_domain.setdefault(item.lead.text, []).append(item)
        for name, own in by_domain.items():
            settled = settle(own, _EVERY)
            chain = self._body.chain(tuple(item.rule(mask) for item, mask in settled.kept))
            operand = layout.FOUND_DOMAIN | self._interner.domain(name)
            self._found[operand] = settled.plain, *chain, 0

    def _other_items(self, capabilities: list[Item], standing: list[Item]) -> None:
        header = self._header
        settled = settle(capabilities, _EVERY)
        header.capabilities = settled.plain
        rules = tuple(item.rule(mask) for item, mask in settled.kept)
        header.capability_chain, header.capability_count = self._body.chain(rules)
        rules = tuple(self._standing(item, mask) for item, mask in settle(standing, 0).kept)
        header.standing_chain, header.standing_count = self._body.chain(rules)

    def _standing(self, item: Item, mask: int) -> RuleRow:
        """Where an automatic transition goes, and which program a handler is, stand where an execution has them."""
        assert isinstance(item.lead, Name)
        rule = item.rule(mask)
        if item.operations & _AUTOMATIC:
            return rule._replace(target=self._interner.domain(item.lead.text))
        return rule._replace(candidate=word_id(self._interner, item.lead.text))

    def _result(self) -> CompiledList:
        addresses, names, body = self._addresses, self._names, self._body
        self._header.intervals, self._header.interval_count = 0, len(addresses.intervals)
        return CompiledList(
            self._header,
            {operand: layout.Found(*row) for operand, row in {**names.found, **self._found}.items()},
            [rule_structure(row) for row in body.rules],
            [clause_structure(row) for row in body.clauses],
            [layout.Range(low, high) for low, high in body.ranges],
            [
                layout.Interval(octets(low), octets(high), version, chain, count)
                for version, low, high, chain, count in addresses.intervals
            ],
            list(names.pairs),
            list(addresses.endpoints),
            tuple(self._places.origins),
            tuple(sorted(names.incomplete)),
        )
