"""Lists compiled from text, and what is in them by name."""

from __future__ import annotations

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import Ids
from sekisho.engine.lsm.compile.lists import CompiledList, compile_list
from sekisho.engine.lsm.compile.regions import Cells
from sekisho.policy.acl import parse_acl
from sekisho.policy.addresses import canonical_address
from sekisho.policy.model import Name, Namespace
from sekisho.policy.numbers import canonical_number


class Compiled:
    """A list of entries that stand in lines; ``groups`` such as ``G="/a /b"`` have members of any kind."""

    def __init__(self, *lines: str, **groups: str) -> None:
        self.ids, self.regions = Ids(), Cells()
        namespace = Namespace("<kernel>")
        for group, members in groups.items():
            words = members.split()
            if words[0][0].isdigit() and "." not in words[0]:
                namespace.number_groups[group] = [canonical_number(word) for word in words]
            elif words[0][0].isdigit():
                namespace.address_groups[group] = [canonical_address(word) for word in words]
            else:
                namespace.path_groups[group] = [Name(word) for word in words]
        self.list: CompiledList = compile_list([parse_acl(line) for line in lines], namespace, self.ids, self.regions)

    def name(self, raw: str) -> int:
        return self.ids.name(raw.encode(), layout.SPACE_NAME)

    def found(self, operand: str | int) -> layout.Found:
        return self.list.found[operand if isinstance(operand, int) else self.name(operand)]

    def plain(self, operand: str | int) -> set[str]:
        """The keywords of name operations that are granted plainly."""
        return keywords(self.found(operand).plain, layout.NAME)

    def chain(self, operand: str | int) -> list[tuple[int, set[str]]]:
        """The rules that are asked for a name, by entry, and which operations for."""
        found = self.found(operand)
        rules = self.list.rules[found.chain : found.chain + found.count]
        return [(rule.entry, keywords(rule.operations, layout.NAME)) for rule in rules]


def keywords(mask: int, family: layout.Family) -> set[str]:
    return {row.keyword for bit, row in enumerate(family.operations) if mask >> bit & 1}
