"""What there is to find of a name: as much of it plainly as the order of entries allows."""

from __future__ import annotations

import pytest
from tests.engine.lsm.compile.support import Compiled

from sekisho.engine.lsm import layout

ACCEPT = layout.FOUND_ACCEPT


def test_an_entry_that_says_nothing_else_is_plain() -> None:
    made = Compiled("file read/write /a", "file read /b task.uid=0")

    assert ({"file read", "file write"}, []) == (made.plain("/a"), made.chain("/a"))
    assert (set(), [(1, {"file read"})]) == (made.plain("/b"), made.chain("/b"))
    assert 0 == made.list.header.automaton


def test_conditions_before_it_make_no_difference_but_what_is_logged_does() -> None:
    made = Compiled(
        "file read/write /a task.uid=0",
        "file write /a grant_log=yes task.uid=1",
        "file read/write /a",
        "file write /a task.uid=2",
    )

    assert {"file read"} == made.plain("/a")
    assert [(0, {"file write"}), (1, {"file write"}), (2, {"file write"})] == made.chain("/a")


def test_literals_have_what_patterns_say_of_them() -> None:
    made = Compiled("file read /a", r"file write /\*", r"file read /\* task.uid=0", "file unlink @G", G=r"/\? /b")

    assert ({"file read", "file write", "file unlink"}, []) == (made.plain("/a"), made.chain("/a"))
    assert ({"file write", "file unlink"}, [(2, {"file read"})]) == (made.plain("/b"), made.chain("/b"))
    accepted = {operand for operand in made.list.found if operand & ACCEPT}
    assert {frozenset(made.plain(operand)) for operand in accepted} == {
        frozenset({"file write"}),
        frozenset({"file write", "file unlink"}),
    }


def test_an_execution_is_never_plain_and_has_the_first_member_for_candidate() -> None:
    made = Compiled("file execute @G", G=r"/x /\? /a")
    rules = {operand: made.list.rules[found.chain] for operand, found in made.list.found.items()}

    pattern = made.ids.name(rb"/\?", layout.SPACE_TEXT)
    assert {made.name("/x"): made.name("/x"), made.name("/a"): pattern, ACCEPT | 1: pattern} == {
        operand: rule.candidate for operand, rule in rules.items()
    }
    assert all(found.last == rules[operand].candidate for operand, found in made.list.found.items())


def test_the_last_candidate_is_left_behind_by_an_entry_that_never_grants() -> None:
    made = Compiled("file execute /a", "file execute /b 1=2")

    assert (0, made.name("/b")) == (made.found("/a").last, made.found("/b").last)
    assert layout.LIST_EXECUTES == made.list.header.flags


def test_two_names_and_a_name_with_a_number_are_pairs() -> None:
    made = Compiled("file rename /a /b", "file create /a 0644", "file create /a 0600-0640", "file rename /a /c 1=1")
    rename, create = layout.BITS["file rename"], layout.BITS["file create"]
    first = made.name("/a")

    assert {(rename, first, made.name("/b")), (rename, first, made.name("/c")), (create, first, 0o644)} == set(
        made.list.pairs
    )
    assert [(2, {"file create"})] == made.chain("/a")


def test_a_pair_behind_an_entry_that_says_more_is_asked_in_order() -> None:
    made = Compiled(r"file create /\* 0-0777 grant_log=yes", "file create /a 0644")

    assert [] == made.list.pairs
    assert [(0, {"file create"}), (1, {"file create"})] == made.chain("/a")


def test_a_mount_is_found_by_where_it_is() -> None:
    made = Compiled("file mount /dev/a /mnt/ ext4 0x0-0x7")
    rule = made.list.rules[made.found("/mnt/").chain]

    assert layout.RULE_IGNORE_FIRST == rule.flags
    assert [(layout.TEST_NAME, 0), (layout.TEST_AUTOMATON, 2), (layout.TEST_NUMBER, 3)] == [
        (test.kind, test.operand) for test in rule.tests
    ]


def test_a_name_longer_than_any_is_left_out() -> None:
    made = Compiled(f"file read /{'a' * layout.NAME_BYTES}", "file read /a")

    assert [made.name("/a")] == list(made.list.found)


def test_members_of_a_large_group_share_their_rules() -> None:
    made = Compiled("file create @G 0-7", "file create @G 9", G=" ".join(f"/{n}" for n in range(100)))

    assert (100, 2) == (len(made.list.found), len(made.list.rules))


@pytest.mark.parametrize("line", ["file read @NONE", "file rename /a @NONE", "file create /a @NONE"])
def test_an_undefined_group_allows_nothing(line: str) -> None:
    made = Compiled(line)

    assert ({}, [], []) == (made.list.found, made.list.rules, made.list.pairs)
    assert made.list.header.names
