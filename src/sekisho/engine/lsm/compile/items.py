"""Entries made ready to be filed: everything of an entry but the operand that it is found by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.clauses import ClauseCompiler
from sekisho.engine.lsm.compile.interning import Interner, word_id
from sekisho.engine.lsm.compile.numbers import LARGEST, ranges_of
from sekisho.engine.lsm.compile.regions import Places
from sekisho.engine.lsm.compile.rows import Body, OperandRow, RuleRow, Span
from sekisho.names.pattern import is_pattern
from sekisho.policy.grammar import Operand, Operation
from sekisho.policy.model import AclEntry, Name, Namespace, Number, OperandValue

EXECUTE: Final = 1 << layout.BITS["file execute"]
_PREFERENCES: Final = {
    None: layout.PREFER_NONE,
    "keep": layout.PREFER_KEEP,
    "child": layout.PREFER_CHILD,
    "initialize": layout.PREFER_INITIALIZE,
    "reset": layout.PREFER_RESET,
    "parent": layout.PREFER_PARENT,
}
_LARGEST_PORT: Final = 65535
_TYPE: Final = 2
"""The operand of a mount that has no id: it is compared by automata alone."""
_SECONDS: Final = frozenset({"path2", "path_number"})
"""Groups of operations that have one operand besides the name they are found by."""


@dataclass(slots=True)
class Item:
    """One entry of a list, ready to become rules.

    ``operations`` are bits of its family. An ``open`` item holds whatever else the request says. A ``special`` one
    says more than that it grants, so that it matters which of two entries comes first. ``pair`` is what the operand
    after the name has to be where that is one single thing, and all there is to be tested. ``blocked`` are
    operations that special entries before it in the list have, too. ``word`` is set where the item is about only those
    names that match it, which ``tests`` then make sure of.
    """

    entry: int
    source: AclEntry
    lead: OperandValue | None
    operations: int
    tests: tuple[OperandRow, ...]
    conditions: Span
    flags: int
    preference: int
    target: int
    move: int
    blocked: int = 0
    word: str = ""

    @property
    def open(self) -> bool:
        """Whether nothing is left to be tested."""
        return not self.tests and not self.conditions[1]

    @property
    def special(self) -> bool:
        """Whether it says what is logged, or where to go."""
        return bool(self.flags & ~layout.RULE_IGNORE_FIRST)

    @property
    def pair(self) -> int | None:
        """The second name's id, or the number; None where there is more or less to test."""
        if len(self.tests) != 1 or self.conditions[1] or self.source.operations[0].group not in _SECONDS:
            return None
        test = self.tests[0]
        if test.kind == layout.TEST_NAME:
            return test.place
        return test.low if test.kind == layout.TEST_NUMBER and test.low == test.high else None

    def rule(self, operations: int, candidate: int = 0) -> RuleRow:
        """The rule that grants ``operations``, which the item has."""
        return RuleRow(
            operations,
            self.entry,
            *self.conditions,
            self.flags,
            self.preference,
            candidate,
            self.target,
            self.move,
            self.tests,
        )


def leading(operation: Operation) -> int | None:
    """The place of the operand that entries are found by."""
    if not operation.operands:
        return None
    if operation.operands[-1] is Operand.DOMAIN:
        return len(operation.operands) - 1
    # The device of a mount isn't always compared.
    return 1 if operation.keyword == "file mount" else 0


class ItemMaker:
    """Makes items of entries; what they refer to goes to ``body`` and ``places``."""

    def __init__(self, namespace: Namespace, interner: Interner, body: Body, places: Places) -> None:
        self._namespace = namespace
        self._interner = interner
        self._body = body
        self._places = places
        self._clauses = ClauseCompiler(namespace, body, places)

    def make(self, entry: int, source: AclEntry) -> Item | None:
        """The entry as an item; None for one that never grants anything.

        Raises ValueError for one whose groups or patterns are too large for the kernel side.
        """
        clauses = self._clauses.all_of(source.conditions) if source.conditions else ()
        if clauses is None:
            return None
        at = leading(source.operations[0])
        tests = self._tests(source, at)
        if tests is None:
            return None
        flags, move = self._consequences(source)
        if tests and tests[0].operand == 0 and at == 1 and source.operations[0].keyword == "file mount":
            flags |= layout.RULE_IGNORE_FIRST
        preference, target = self._preference(source.preference)
        lead = source.operands[at] if at is not None else None
        conditions = self._body.conditions(clauses)
        return Item(entry, source, lead, bits(source), tests, conditions, flags, preference, target, move)

    def guarded(self, item: Item, word: str) -> Item | None:
        """The item for those names alone that match ``word``, which it is found by; None if there is too much to test.

        Raises ValueError for a word that is too large for the kernel side.
        """
        at = leading(item.source.operations[0])
        if at is None or len(item.tests) == layout.RULE_TESTS:
            return None
        test = OperandRow(layout.TEST_AUTOMATON, at, self._places.of_words([word]))
        return replace(item, tests=(*item.tests, test), word=word)

    def _tests(self, source: AclEntry, at: int | None) -> tuple[OperandRow, ...] | None:
        """What is tested besides the leading operand; None if no request passes."""
        rows = []
        mount = source.operations[0].keyword == "file mount"
        for place, operand in enumerate(source.operands):
            if place == at:
                continue
            if isinstance(operand, Name):
                row = self._name(place, operand, mount and place == _TYPE)
                if row is None and mount and place == 0:
                    row = OperandRow(layout.TEST_AUTOMATON, 0)  # accepts nothing, but isn't always asked
            else:
                assert isinstance(operand, Number)  # addresses lead
                ranges = ranges_of(operand, self._namespace)
                ports = source.operations[0].operands[0] is Operand.ADDRESS
                if ranges[:1] and ranges[0][0] == 0 and ranges[0][1] >= (_LARGEST_PORT if ports else LARGEST):
                    continue
                row = self._number(place, ranges)
            if row is None:
                return None
            rows.append(row)
        return tuple(rows)

    def _name(self, place: int, operand: Name, textual: bool) -> OperandRow | None:
        words = members_of(operand, self._namespace)
        if not words:
            return None
        if len(words) == 1 and not textual and not is_pattern(words[0]):
            known = word_id(self._interner, words[0])
            return OperandRow(layout.TEST_NAME, place, known) if known else None
        return OperandRow(layout.TEST_AUTOMATON, place, self._places.of_words(words))

    def _number(self, place: int, ranges: tuple[Span, ...]) -> OperandRow | None:
        if not ranges:
            return None
        if len(ranges) == 1:
            return OperandRow(layout.TEST_NUMBER, place, low=ranges[0][0], high=ranges[0][1])
        start, count = self._body.numbers(ranges)
        return OperandRow(layout.TEST_RANGES, place, start, count)

    def _consequences(self, source: AclEntry) -> tuple[int, int]:
        flags = {None: 0, True: layout.RULE_LOG, False: layout.RULE_NO_LOG}[source.grant_log]
        where = source.transition
        if where is None:
            return flags, 0
        if where.startswith("<"):
            return flags | layout.RULE_MOVE_DOMAIN, self._interner.domain(where)
        return flags | layout.RULE_MOVE_CHILD, word_id(self._interner, where)

    def _preference(self, preference: str | None) -> tuple[int, int]:
        known = _PREFERENCES.get(preference)
        if known is not None or preference is None:
            return known or 0, 0
        if preference.startswith("<"):
            return layout.PREFER_DOMAIN, self._interner.domain(preference)
        return layout.PREFER_PATH, word_id(self._interner, preference)


def members_of(operand: Name, namespace: Namespace) -> list[str]:
    """The words that a name operand allows, each once, in the order of the group; an undefined group allows none."""
    if operand.group is None:
        return [operand.text]
    return list(dict.fromkeys(member.text for member in namespace.path_groups.get(operand.group, ())))


def bits(source: AclEntry) -> int:
    """The entry's operations as bits of their family."""
    result = 0
    for operation in source.operations:
        result |= 1 << layout.BITS[operation.keyword]
    return result


def mark_blocked(items: Iterable[Item]) -> None:
    """Each item knows what special ones there are before it; all are of one family, in order."""
    special = 0
    for item in items:
        item.blocked = special
        if item.special:
            special |= item.operations
