"""What a list is made of while it is put together: values that compare equal when they mean the same."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from sekisho.engine.lsm import layout


class OperandRow(NamedTuple):
    """What stands in a ``struct test``."""

    kind: int
    operand: int
    place: int = 0
    many: int = 0
    low: int = 0
    high: int = 0


class ClauseRow(NamedTuple):
    """What stands in a ``struct clause``."""

    kind: int
    equal: int = 0
    left: int = 0
    right: int = 0
    place: int = 0
    many: int = 0
    low: int = 0
    high: int = 0


class RuleRow(NamedTuple):
    """What stands in a ``struct rule``."""

    operations: int
    entry: int
    clauses: int
    clause_count: int
    flags: int
    preference: int
    candidate: int
    target: int
    move: int
    tests: tuple[OperandRow, ...]


Row = TypeVar("Row")
Span = tuple[int, int]
"""Where rows begin, and how many they are."""


class Body:
    """The rules, clauses and ranges of one list; equal runs of them are kept once."""

    def __init__(self) -> None:
        self.rules: list[RuleRow] = []
        self.clauses: list[ClauseRow] = []
        self.ranges: list[Span] = []
        self._chains: dict[tuple[RuleRow, ...], Span] = {(): (0, 0)}
        self._conditions: dict[tuple[ClauseRow, ...], Span] = {(): (0, 0)}
        self._sets: dict[tuple[Span, ...], Span] = {(): (0, 0)}

    def chain(self, rules: tuple[RuleRow, ...]) -> Span:
        """Where the rules stand, one behind the other."""
        return _kept(self._chains, self.rules, rules)

    def conditions(self, clauses: tuple[ClauseRow, ...]) -> Span:
        """Where the clauses stand, one behind the other."""
        return _kept(self._conditions, self.clauses, clauses)

    def numbers(self, ranges: tuple[Span, ...]) -> Span:
        """Where the ranges (low, high) stand, one behind the other."""
        if len(ranges) > 0xFFFF:
            raise ValueError(f"a number group with {len(ranges)} ranges is too large for the kernel: at most 65535")
        return _kept(self._sets, self.ranges, ranges)


def _kept(known: dict[tuple[Row, ...], Span], rows: list[Row], run: tuple[Row, ...]) -> Span:
    span = known.get(run)
    if span is None:
        span = known[run] = (len(rows), len(run))
        rows.extend(run)
    return span


def rule_structure(row: RuleRow) -> layout.Rule:
    """The row as the kernel side reads it."""
    rule = layout.Rule(*row[:9])
    for place, test in enumerate(row.tests):
        rule.tests[place] = layout.RuleTest(test.kind, test.operand, test.many, test.place, test.low, test.high)
    return rule


def clause_structure(row: ClauseRow) -> layout.Clause:
    """The row as the kernel side reads it."""
    return layout.Clause(row.kind, row.equal, row.left, row.right, row.many, 0, row.place, 0, row.low, row.high)
