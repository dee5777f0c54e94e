"""The index follows its list by filing what is new, not by starting again."""

from __future__ import annotations

import pytest
from tests.decide.support import policy

from sekisho.decide.index import Index, index_of, permissions
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, delete_entry


def granted(index: Index, keyword: str) -> list[str]:
    table = index.tables.get(keyword)
    return sorted(str(key) for key in table.exact) if table is not None else []


@pytest.mark.parametrize(
    ("change", "line", "expected"),
    [
        (add_entry, "file read /new", ["/a", "/b", "/c", "/new"]),
        (add_entry, "file read/write /b", ["/a", "/b", "/c"]),
        (delete_entry, "file read /b", ["/a", "/c"]),
        (delete_entry, "file read /c", ["/a", "/b"]),
    ],
)
def test_one_change_leaves_the_other_entries_where_they_are(change, line: str, expected: list[str]) -> None:
    _, domain = policy("file read /a", "file read /b", "file read /c")
    index = index_of(domain)
    kept = index.tables["file read"].exact["/a"]
    change(domain, parse_acl(line))
    index_of(domain)

    assert expected == granted(index, "file read")
    assert kept is index.tables["file read"].exact["/a"]


def test_an_operation_gained_is_filed_too() -> None:
    _, domain = policy("file read /a", "file read /b")
    index_of(domain)
    add_entry(domain, parse_acl("file getattr /b"))

    assert granted(index_of(domain), "file getattr") == ["/b"]


def test_changes_in_many_places_are_followed() -> None:
    _, domain = policy(*(f"file read /{letter}" for letter in "abcdef"))
    index_of(domain)
    for line in ("file read /a", "file read /d"):
        delete_entry(domain, parse_acl(line))
    add_entry(domain, parse_acl("file read /z"))

    assert granted(index_of(domain), "file read") == ["/b", "/c", "/e", "/f", "/z"]


def test_a_change_of_nothing_but_flags_keeps_everything() -> None:
    _, domain = policy("file read /a")
    index = index_of(domain)
    tables = index.tables
    domain.profile = 2
    domain.generation += 1

    assert (index, tables) == (index_of(domain), index_of(domain).tables)


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("file read /a", 1),
        ("file read/write /a", 2),
        ("file link/rename /a /b", 2),
        ("file mount none /m/ tmpfs 0x0", 1),
        ("misc env A", 1),
        ("network inet stream bind/listen/connect ::1 1", 3),
        ("network inet dgram bind/recv ::1 1", 2),
        ("ipc signal 1-9 <kernel>", 1),
        ("ipc ptrace/read_memory <kernel>", 2),
        ("capability use_bpf", 1),
        ("task manual_domain_transition <kernel> /a", 0),
        ("task auto_domain_transition <kernel> /a", 0),
        ("task auto_execute_handler /h", 0),
        ("task denied_execute_handler /h", 0),
    ],
)
def test_permissions_are_counted_as_the_quota_counts_them(line: str, count: int) -> None:
    _, domain = policy(line)

    assert (count, count) == (permissions(parse_acl(line)), index_of(domain).permissions)
    delete_entry(domain, parse_acl(line))
    assert index_of(domain).permissions == 0
