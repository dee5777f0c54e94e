"""Conditions become clauses; what no request changes is worked out."""

from __future__ import annotations

import pytest

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.clauses import ALWAYS, NEVER, ClauseCompiler
from sekisho.engine.lsm.compile.regions import Cells, Places
from sekisho.engine.lsm.compile.rows import Body, ClauseRow
from sekisho.policy.acl import parse_acl
from sekisho.policy.model import Namespace
from sekisho.policy.numbers import canonical_number


@pytest.fixture
def compiler() -> ClauseCompiler:
    numbers = {"N": [canonical_number("1"), canonical_number("5-7")]}
    return ClauseCompiler(Namespace("<kernel>", number_groups=numbers), Body(), Places(Cells()))


def clause(compiler: ClauseCompiler, text: str) -> ClauseRow:
    return compiler.one(parse_acl(f"file read /a {text}").conditions[0])


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("0-5=3", ALWAYS),
        ("0-5!=3", NEVER),
        ("1=2", NEVER),
        ("1!=2", ALWAYS),
        ("file=0100000", ALWAYS),
        ("setuid=04000", ALWAYS),
        ("04000=setuid", NEVER),
        ("setuid!=setgid", NEVER),
        ("setuid!=task.uid", NEVER),
        ("path1.ino=owner_read", NEVER),
        ("5=@N", ALWAYS),
        ("2-4=@N", NEVER),
        ("2-4!=@N", ALWAYS),
        ("setuid!=@N", ALWAYS),
        ("setuid=@NONE", NEVER),
    ],
)
def test_what_no_request_changes_is_worked_out(compiler: ClauseCompiler, text: str, row: ClauseRow) -> None:
    assert clause(compiler, text) == row


def test_a_number_is_compared_with_a_fact_whichever_side_it_is_on(compiler: ClauseCompiler) -> None:
    uid, gid = layout.FACTS["task.uid"], layout.FACTS["task.gid"]

    assert ClauseRow(layout.CLAUSE_NUMBER, 1, uid, low=1, high=5) == clause(compiler, "task.uid=1-5")
    assert clause(compiler, "1-5=task.uid") == clause(compiler, "task.uid=1-5")
    assert ClauseRow(layout.CLAUSE_NUMBER, 0, uid, gid) == clause(compiler, "task.uid!=task.gid")
    assert ClauseRow(layout.CLAUSE_RANGES, 1, uid, many=2) == clause(compiler, "task.uid=@N")
    assert ClauseRow(layout.CLAUSE_RANGES, 0, uid, many=0) == clause(compiler, "task.uid!=@NONE")


def test_a_mode_bit_is_looked_for_in_permissions(compiler: ClauseCompiler) -> None:
    row = ClauseRow(layout.CLAUSE_BITS, 1, layout.FACTS["path1.perm"], low=0o4000)

    assert row == clause(compiler, "path1.perm=setuid") == clause(compiler, "setuid=path1.perm")
    assert row._replace(kind=layout.CLAUSE_NUMBER, high=0o4000) == clause(compiler, "path1.perm=04000")


def test_texts_are_compared_by_automata(compiler: ClauseCompiler) -> None:
    kinds = [
        clause(compiler, text).kind
        for text in ('exec.realpath="/a"', 'symlink.target="/a"', 'exec.argv[3]="/a"', 'exec.envp["A"]="/a"')
    ]

    assert [layout.CLAUSE_REALPATH, layout.CLAUSE_TARGET, layout.CLAUSE_ARGUMENT, layout.CLAUSE_VARIABLE] == kinds
    assert 3 == clause(compiler, 'exec.argv[3]="/a"').low
    assert (0, 1) == (clause(compiler, 'exec.envp["A"]="/a"').low, clause(compiler, 'exec.envp["A"]=NULL').low)
    assert 0 == clause(compiler, "exec.realpath=@NONE").place == clause(compiler, 'exec.envp["\\*"]=NULL').place


def test_of_all_clauses_those_that_always_hold_are_left_out(compiler: ClauseCompiler) -> None:
    def every(text: str) -> tuple[ClauseRow, ...] | None:
        return compiler.all_of(parse_acl(f"file read /a {text}").conditions)

    assert () == every("1=1 2=2")
    assert (ClauseRow(layout.CLAUSE_HANDLER, 1),) == every("1=1 task.type=execute_handler")
    assert every("1=2 task.uid=0") is None
