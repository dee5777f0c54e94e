"""Rows of a list: equal runs are kept once, and structures say what rows do."""

from __future__ import annotations

import pytest

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.rows import Body, ClauseRow, OperandRow, RuleRow, clause_structure, rule_structure

_TEST = OperandRow(layout.TEST_RANGES, 2, 3, 4, 5, 6)
_RULE = RuleRow(1 << 40, 2, 3, 4, layout.RULE_LOG, layout.PREFER_PATH, 7, 8, 9, (_TEST,))


def test_equal_runs_are_kept_once() -> None:
    body = Body()
    other = _RULE._replace(entry=9)

    assert [(0, 2), (2, 1), (0, 2), (0, 0)] == [
        body.chain(run) for run in ((_RULE, other), (_RULE,), (_RULE, other), ())
    ]
    assert [_RULE, other, _RULE] == body.rules


def test_a_set_of_numbers_that_no_rule_can_count_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        Body().numbers(tuple((2 * number, 2 * number) for number in range(1 << 16)))


def test_structures_say_what_rows_do() -> None:
    rule = rule_structure(_RULE)
    assert (1 << 40, 2, 3, 4, 1, 7, 7, 8, 9) == tuple(getattr(rule, name) for name in RuleRow._fields[:9])
    first = rule.tests[0]
    assert (4, 2, 3, 4, 5, 6) == (first.kind, first.operand, first.place, first.count, first.low, first.high)
    assert layout.TEST_NONE == rule.tests[1].kind

    clause = clause_structure(ClauseRow(1, 1, 2, 3, 4, 5, 6, 7))
    assert (1, 1, 2, 3) == (clause.kind, clause.equal, clause.left, clause.right)
    assert (4, 5, 6, 7) == (clause.place, clause.count, clause.low, clause.high)
