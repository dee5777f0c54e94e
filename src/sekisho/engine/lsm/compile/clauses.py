"""Conditions as clauses. What doesn't depend on the request is worked out here.

The meaning is that of ``decide.conditions``: a clause on an object that doesn't exist is false.
"""

from __future__ import annotations

from typing import Final

from sekisho.decide.numbers import MODE_BITS, PERMISSIONS, TYPES, parse_range
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.numbers import group_ranges
from sekisho.engine.lsm.compile.regions import Places, variable_of
from sekisho.engine.lsm.compile.rows import Body, ClauseRow, Span
from sekisho.names.pattern import is_pattern
from sekisho.policy.model import Condition, Namespace

NEVER: Final = ClauseRow(layout.CLAUSE_NEVER)
ALWAYS: Final = ClauseRow(layout.CLAUSE_ALWAYS)

_TEXTS: Final = {"exec.realpath": layout.CLAUSE_REALPATH, "symlink.target": layout.CLAUSE_TARGET}


class ClauseCompiler:
    """Makes clauses of conditions; what they refer to goes to ``body`` and ``places``."""

    def __init__(self, namespace: Namespace, body: Body, places: Places) -> None:
        self._namespace = namespace
        self._body = body
        self._places = places

    def all_of(self, conditions: tuple[Condition, ...]) -> tuple[ClauseRow, ...] | None:
        """The clauses that must all hold, none of which always does; None where they can't."""
        rows = [self.one(condition) for condition in conditions]
        return None if NEVER in rows else tuple(row for row in rows if row != ALWAYS)

    def one(self, condition: Condition) -> ClauseRow:
        """One condition as a clause."""
        left, right, equal = condition.left, condition.right, int(condition.equal)
        if left == "task.type":
            return ClauseRow(layout.CLAUSE_HANDLER, equal)
        if left in _TEXTS:
            return ClauseRow(_TEXTS[left], equal, place=self._text(right))
        if left.startswith("exec.argv["):
            index = int(left[len("exec.argv[") : -1])
            return ClauseRow(layout.CLAUSE_ARGUMENT, equal, place=self._text(right), low=index)
        if left.startswith("exec.envp["):
            return self._variable(left[len('exec.envp["') : -2], right, equal)
        return self._numeric(left, right, equal)

    def _text(self, right: str) -> int:
        if right.startswith("@"):
            members = self._namespace.path_groups.get(right[1:], ())
            return self._places.of_words(member.text for member in members)
        return self._places.of_words([right[1:-1]])

    def _variable(self, name: str, right: str, equal: int) -> ClauseRow:
        unset = right == "NULL"
        if is_pattern(name) or "=" in name:
            place = 0  # no variable is called that
        else:
            place = self._places.of(variable_of(name, "" if unset else right[1:-1]))
        return ClauseRow(layout.CLAUSE_VARIABLE, equal, place=place, low=int(unset))

    def _numeric(self, left: str, right: str, equal: int) -> ClauseRow:
        if right.startswith("@"):
            return self._ranges(left, group_ranges(self._namespace, right[1:]), equal)
        if (left in MODE_BITS and not right[0].isdigit()) or right in MODE_BITS:
            return _bits(left, right, equal)
        if left not in layout.FACTS:
            left, right = right, left
        if left not in layout.FACTS:
            one, other = _constant(left), _constant(right)
            return ALWAYS if (one[0] <= other[1] and other[0] <= one[1]) is bool(equal) else NEVER
        if right in layout.FACTS:
            return ClauseRow(layout.CLAUSE_NUMBER, equal, layout.FACTS[left], layout.FACTS[right])
        low, high = _constant(right)
        return ClauseRow(layout.CLAUSE_NUMBER, equal, layout.FACTS[left], low=low, high=high)

    def _ranges(self, left: str, ranges: tuple[Span, ...], equal: int) -> ClauseRow:
        if left not in layout.FACTS:
            low, high = _constant(left)
            overlaps = any(first <= high and low <= last for first, last in ranges)
            return ALWAYS if overlaps is bool(equal) else NEVER
        place, count = self._body.numbers(ranges)
        return ClauseRow(layout.CLAUSE_RANGES, equal, layout.FACTS[left], place=place, many=count)


def _bits(left: str, right: str, equal: int) -> ClauseRow:
    """A mode bit against a fact, another constant, or, on the right, a number."""
    if left[0].isdigit():
        return NEVER
    bit, other = (left, right) if left in MODE_BITS else (right, left)
    if other not in PERMISSIONS:
        return NEVER
    return ClauseRow(layout.CLAUSE_BITS, equal, layout.FACTS[other], low=MODE_BITS[bit])


def _constant(word: str) -> Span:
    value = TYPES.get(word, MODE_BITS.get(word))
    return (value, value) if value is not None else parse_range(word)
