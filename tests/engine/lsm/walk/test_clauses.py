"""Ranges are found by halving; the rest of tests and clauses is tested with whole decisions."""

from __future__ import annotations

import pytest
from tests.engine.lsm.compile.support import Compiled

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.walk.clauses import fits, holds
from sekisho.engine.lsm.walk.request import RawFacts, RawRequest
from sekisho.engine.lsm.walk.tables import Tables


def tables(made: Compiled) -> Tables:
    result = Tables(made.ids.names, cells=made.regions.cells)
    result.publish(5, made.list)
    return result


@pytest.mark.parametrize("number", range(12))
def test_a_group_of_numbers_has_just_its_members(number: int) -> None:
    made = tables(Compiled("file create /a @N", N="1 3-4 7 9-10"))
    request = RawRequest(1, layout.NAME, 1 << layout.BITS["file create"], (b"/a",), (number,))

    assert fits(made, 5, made.rules[5, 0], request, (1, 0)) is (number in (1, 3, 4, 7, 9, 10))


@pytest.mark.parametrize("equal", ["=", "!="])
def test_a_clause_on_what_is_not_there_is_false(equal: str) -> None:
    texts = ["path1.uid{}0", "path1.uid{}path2.uid", "exec.argc{}0", 'exec.argv[0]{}"a"', 'symlink.target{}"a"',
             'exec.envp["A"]{}NULL', 'exec.realpath{}"/a"', "path2.parent.uid{}@N"]  # fmt: skip
    made = tables(Compiled(*(f"file read /a {text.format(equal)}" for text in texts)))

    assert len(texts) == len(made.clauses)
    assert not any(holds(made, 5, clause, RawFacts()) for clause in made.clauses.values())
    assert not holds(made, 5, layout.Clause(layout.CLAUSE_NEVER), RawFacts())
    assert holds(made, 5, layout.Clause(layout.CLAUSE_ALWAYS), RawFacts())
