from __future__ import annotations

import pytest
from tests.interface.stage import MANAGER, STRANGER, Stage, read, write

from sekisho.policy.printer import print_exception_policy

START = "path_group G /a\nacl_group 2 file read/execute /x\nacl_group 2 file read /y\nkeep_domain any from <kernel>\n"


@pytest.mark.parametrize(
    ("lines", "expected", "changes"),
    [
        ("path_group G /b\n", ["path_group G /b"], 1),
        ("path_group G /a\n", ["path_group G /a"], 1),
        ("path_group G /b\ndelete path_group G /b\n", [], 2),
        ("delete path_group G /none\n", [], 0),
        ("delete path_group NONE /a\n", [], 0),
        ("initialize_domain /x\n", ["initialize_domain /x from any"], 1),
        ("no_keep_domain <kernel> /x\n", ["no_keep_domain any from <kernel> /x"], 1),
        ("aggregator /a\\* /b\n", ["aggregator /a\\* /b"], 1),
        ("number_group N 1-5\naddress_group A 1.2.3.4\n", ["number_group N 1-5", "address_group A 1.2.3.4"], 2),
        ("acl_group 7 file write /w\nacl_group 7 file read /w\n", ["acl_group 7 file read/write /w"], 2),
        ("delete acl_group 7 file write /w\n", [], 0),
        ("acl_group 256 file read /w\nfile read /w\nrubbish\npath_group\n\n", [], 0),
        ("deny_autobind 1-1023\n", ["deny_autobind 1-1023"], 1),
    ],
)
def test_directives(lines: str, expected: list[str], changes: int) -> None:
    stage = Stage()
    write(stage.open("exception_policy"), lines)

    assert expected == print_exception_policy(stage.policy).splitlines()
    assert changes == stage.changes


@pytest.mark.parametrize("line", ["delete <x> path_group G /a\n", "<x> delete path_group G /a\n"])
def test_lines_of_another_namespace(line: str) -> None:
    stage = Stage().holds(exception_policy="path_group G /a\n<x> path_group G /a\n<x> path_group G /b\n")
    write(stage.open("exception_policy"), line)

    assert print_exception_policy(stage.policy) == "<kernel> path_group G /a\n<x> path_group G /b\n"


@pytest.mark.parametrize("line", ["<new>", "<n\\ew> path_group G /a", "<new", "<new>/x path_group G /a"])
def test_what_is_no_namespace_makes_none(line: str) -> None:
    stage = Stage()
    write(stage.open("exception_policy"), f"{line}\n")

    assert (list(stage.policy.namespaces), stage.changes) == (["<kernel>"], 0)


def test_a_namespace_is_there_as_soon_as_a_line_names_it() -> None:
    stage = Stage().holds(exception_policy=START)
    write(stage.open("exception_policy"), "<new> rubbish\n")

    assert read(stage.open("exception_policy")).startswith(
        "<kernel> keep_domain any from <kernel>\n<kernel> path_group"
    )


def test_reading_gives_it_as_it_was_at_the_beginning() -> None:
    stage = Stage().holds(exception_policy="".join(f"path_group G /{number}\n" for number in range(3000)))
    handle = stage.open("exception_policy")
    whole = print_exception_policy(stage.policy)
    first = handle.read(MANAGER, 100).decode()
    write(handle, "delete path_group G /0\ndelete path_group G /1500\npath_group A /new\n")

    assert whole == first + read(handle)


def test_transitions_only() -> None:
    stage = Stage().holds(exception_policy=START)
    handle = stage.open("exception_policy")
    write(handle, "select transition_only\n", STRANGER)

    assert read(handle) == "keep_domain any from <kernel>\npath_group G /a\nacl_group 2 file execute /x\n"
    write(handle, "reset\n", STRANGER)
    assert read(handle) == print_exception_policy(stage.policy)


def test_looking_domains_up_is_not_for_this_file() -> None:
    with pytest.raises(PermissionError):
        write(Stage().open("exception_policy"), "select pid=1\n", STRANGER)


def test_what_decisions_are_made_from_is_stale_after_a_change() -> None:
    stage = Stage()
    namespace = stage.policy.namespaces["<kernel>"]
    before = namespace.generation
    write(stage.open("exception_policy"), "path_group G /a\n")

    assert namespace.generation > before


def test_a_quota_of_memory_stops_additions_only() -> None:
    stage = Stage().holds(exception_policy=START)
    write(stage.open("stat"), "Memory used by policy: 1\n")
    write(stage.open("exception_policy"), "path_group G /new\ndelete path_group G /a\n")

    assert "path_group" not in print_exception_policy(stage.policy)
