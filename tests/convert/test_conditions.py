"""TOMOYO 1.7's conditions."""

import pytest
from tests.convert.support import Noted

from sekisho.convert.conditions import conditions, split_conditions
from sekisho.convert.dialect import Dialect
from sekisho.convert.remark import LeftOut


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("allow_read /x", (["allow_read", "/x"], [], [])),
        ("allow_read /x if a=1 b=2", (["allow_read", "/x"], ["a=1", "b=2"], [])),
        ("allow_read /x ; set s=1", (["allow_read", "/x"], [], ["s=1"])),
        ("allow_read /x if a=1 ; set s=1 t=2", (["allow_read", "/x"], ["a=1"], ["s=1", "t=2"])),
        ("allow_read /x ; s=1", (["allow_read", "/x"], [], ["s=1"])),
        ("if ;", ([], [], [])),
    ],
)
def test_parts_of_an_entry(line, parts):
    assert split_conditions(line.split()) == parts


@pytest.mark.parametrize(
    ("clauses", "setting", "today"),
    [
        (["task.uid=0", "path1.perm!=0777"], [], ["task.uid=0", "path1.perm!=0777"]),
        (['exec.realpath="/proc/self/exe"'], [], ['exec.realpath="proc:/self/exe"']),
        (['exec.realpath!="/bin/sh"'], [], ['exec.realpath!="/bin/sh"']),
        (['exec.realpath="'], [], ['exec.realpath="']),
        (['symlink.target="/proc/x"'], [], ['symlink.target="/proc/x"']),
        ([], ["audit=no"], ["grant_log=no"]),
        ([], ["grant_log=yes"], ["grant_log=yes"]),
    ],
)
def test_what_is_the_same_today(clauses, setting, today):
    notes = Noted()

    assert conditions(clauses, setting, Dialect.V17, notes) == today
    assert notes.said == []


@pytest.mark.parametrize(("word", "reason"), [("task.state[0]=1", "state variables"), ("audit=maybe", "'audit=maybe'")])
def test_what_sets_nothing_today(word, reason):
    notes = Noted()

    assert conditions(["task.uid=0"], [word], Dialect.V17, notes) == ["task.uid=0"]
    assert [(fate, reason in why) for fate, why in notes.said] == [("changed", True)]


@pytest.mark.parametrize("clause", ["task.state[0]=1", "task.state[2]!=0-3", "task.uid=task.state[1]"])
def test_a_state_variable_takes_the_entry_along(clause):
    with pytest.raises(LeftOut, match="state variables") as caught:
        conditions([clause], [], Dialect.V17, Noted())
    assert "auto_domain_transition" in caught.value.advice
