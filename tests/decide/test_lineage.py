"""Entries on a domain and all below it: found by the target's name, its parents' names, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.decide.support import request

from sekisho.decide.lineage import LineageTable, lineage, table_for
from sekisho.decide.table import Table
from sekisho.policy.acl import parse_acl
from sekisho.policy.grammar import OPERATIONS


def table(*lines: str) -> Table:
    entries = [parse_acl(line) for line in lines]
    made = table_for(entries[0].operations[0])
    for serial, entry in enumerate(entries):
        made.add(serial, entry)
    return made


def serials(made: Table, asked: str) -> list[int]:
    return [slot.serial for slot in made.candidates(request(asked))]


def test_only_entries_of_ipc_reach_below() -> None:
    below = {keyword for keyword, row in OPERATIONS.items() if isinstance(table_for(row), LineageTable)}

    assert below == {keyword for keyword in OPERATIONS if keyword.startswith("ipc ")}


def test_a_domain_and_its_parents_are_asked_in_the_order_of_entries() -> None:
    made = table("ipc ptrace <kernel> /a", "ipc ptrace <kernel> /b", "ipc ptrace <kernel>", "ipc ptrace <kernel> /a /c")

    assert serials(made, "ipc ptrace <kernel> /a /c /d") == [0, 2, 3]
    assert serials(made, "ipc ptrace <kernel> /ab") == [2]
    assert serials(made, "ipc ptrace <kernel>") == [2]
    assert serials(made, "ipc ptrace <a> /a") == []


def test_signals_are_found_by_their_number_too() -> None:
    made = table(*(f"ipc signal {n} <kernel> /{k}" for n in range(64) for k in range(9)), "ipc signal 1-9 <kernel>")

    assert serials(made, "ipc signal 9 <kernel> /3") == [9 * 9 + 3, 64 * 9]


def test_a_pattern_in_a_domainname_is_its_own_text() -> None:
    made = table("ipc ptrace <kernel> /\\*")

    assert serials(made, "ipc ptrace <kernel> /\\* /a") == [0]
    assert serials(made, "ipc ptrace <kernel> /a") == []


@pytest.mark.parametrize(
    "line", ["ipc ptrace <kernel> /a", "ipc signal 9 <kernel>", "ipc signal 1-9 <kernel>", "ipc signal @G <kernel>"]
)
def test_what_was_added_can_be_removed(line: str) -> None:
    made = table(line, line)
    made.remove(1)
    assert serials(made, line.replace("1-9", "9").replace("@G", "9")) == [0]
    made.remove(0)

    assert (None, 0, 0) == (made.last, made.scattered, made.count)


@given(st.lists(st.sampled_from(["/a", "/ab", "/b"]), max_size=5))
def test_the_lineage_is_every_prefix_that_ends_with_a_word(programs: list[str]) -> None:
    name = " ".join(["<kernel>", *programs])
    assert list(lineage(name)) == [" ".join(["<kernel>", *programs[:n]]) for n in range(len(programs), -1, -1)]
