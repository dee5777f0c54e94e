from __future__ import annotations

import pytest
from tests.decide.support import request

from sekisho.decide.table import Table, matched_text
from sekisho.policy.acl import parse_acl
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Namespace


def table(*lines: str) -> Table:
    entries = [parse_acl(line) for line in lines]
    made = Table(entries[0].operations[0])
    for serial, entry in enumerate(entries):
        made.add(serial, entry)
    return made


def serials(made: Table, asked: str) -> list[int]:
    return [slot.serial for slot in made.candidates(request(asked))]


def test_candidates_are_few_and_in_order() -> None:
    made = table(*(f"file read /usr/lib/{n}" for n in range(100)), "file read /usr/\\*/1", "file read /etc/\\*")

    assert serials(made, "file read /usr/lib/1") == [1]
    assert serials(made, "file read /usr/share/1") == [100]


def test_an_earlier_pattern_comes_before_an_exact_name() -> None:
    assert serials(table("file read /\\*", "file read /a", "file read /a\\*"), "file read /a") == [0, 1]


def test_a_condition_does_not_hide_what_comes_later() -> None:
    assert serials(table("file read /a task.uid=0", "file read /\\*"), "file read /a") == [0, 1]


@pytest.mark.parametrize(
    "line",
    ["file rename /a /b", "file rename /a /\\*", "file rename /\\* /b", "file rename @G /b",
     "network inet stream bind ::1 1", "network inet stream bind ::1 1-2", "network inet stream bind ::-::2 1",
     "file mount none /m/ tmpfs 0x0", "file mount none @G tmpfs 0x0"],
)  # fmt: skip
def test_what_was_added_can_be_removed(line: str) -> None:
    made = table(line)
    made.remove(0)

    assert (None, 0, {}) == (made.last, made.scattered, made.exact)


def test_entries_exact_about_the_same_keep_their_order() -> None:
    made = table(*(f"file read /a task.uid={n}" for n in range(3)))
    made.remove(1)
    made.add(1, parse_acl("file read /a task.uid=9"))
    assert serials(made, "file read /a") == [0, 1, 2]
    made.remove(0)
    assert serials(made, "file read /a") == [1, 2]
    made.remove(2)
    made.remove(1)
    assert {} == made.exact


def test_the_last_entry_is_known() -> None:
    made = table("file execute /a", "file execute /b", "file execute /c")

    assert made.last is not None and made.last.serial == 2
    made.remove(2)
    made.add(0, parse_acl("file execute /z"))
    assert made.last.serial == 1


def test_the_matched_text_is_policys_own() -> None:
    slot = table("file execute /\\*/sh").candidates(request("file execute /bin/sh"))[0]

    assert matched_text(slot, "/bin/sh", Namespace("<kernel>")) == "/\\*/sh"
    assert matched_text(slot, "/bin/bash", Namespace("<kernel>")) is None
    assert OPERATIONS["file execute"] is slot.entry.operations[0]
