"""Entries merge as the kernel merges them, whatever way they come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.strategies import entries

from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import (
    add_entry,
    delete_domain,
    delete_entry,
    ensure_acl_group,
    ensure_domain,
    ensure_namespace,
    in_table_order,
)
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Policy
from sekisho.policy.printer import print_acl


def lines(domain: Domain) -> list[str]:
    return [print_acl(entry) for entry in domain.entries]


def domain_with(*texts: str) -> Domain:
    domain = Domain("<kernel> /x")
    for text in texts:
        add_entry(domain, parse_acl(text))
    return domain


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["file write /a", "file read /a"], ["file read/write /a"]),
        (["file read /a", "file read /b", "file getattr /a"], ["file read/getattr /a", "file read /b"]),
        (["file chmod /a 0644", "file create /a 0644"], ["file create/chmod /a 0644"]),
        (
            ["network inet stream connect ::1 80", "network inet stream bind 0:0:0:0:0:0:0:1 80"],
            ["network inet stream bind/connect ::1 80"],
        ),
        (
            ['file read /a auto_domain_transition="/b"', 'file write /a auto_domain_transition="/b"'],
            ['file read/write /a auto_domain_transition="/b"'],
        ),
        (["ipc ptrace <kernel>", "ipc get_descriptor <kernel>"], ["ipc ptrace/get_descriptor <kernel>"]),
        (["file read /a task.uid=0x0a", "file write /a task.uid=0xA"], ["file read/write /a task.uid=0xA"]),
    ],
)
def test_entries_that_differ_in_operations_only_become_one(texts, expected):
    assert lines(domain_with(*texts)) == expected


@pytest.mark.parametrize(
    "texts",
    [
        ["file create /a 0644", "file create /a 420"],
        ["file read /a", "file link /a /a"],
        ["file read /a task.uid=0", "file write /a"],
        ["file read /a task.uid=0", "file write /a task.uid=00"],
        ["file read /a task.uid=0 task.gid=0", "file read /a task.gid=0 task.uid=0"],
        ["file read /a grant_log=yes", "file write /a"],
        ["file execute /a keep", "file read /a"],
        ["file read /a", 'file write /a auto_domain_transition="/b"'],
        ["capability SYS_TIME", "capability SYS_NICE"],
        ["network inet stream bind ::1 80", "network inet dgram bind ::1 80"],
        ["task manual_domain_transition <kernel> /a", "task manual_domain_transition <kernel> /b"],
    ],
)
def test_entries_that_differ_in_more_stay_apart(texts):
    assert lines(domain_with(*texts)) == texts


def test_adding_what_is_there_changes_nothing():
    domain = domain_with("file read/write /a")
    generation = domain.generation

    assert not add_entry(domain, parse_acl("file write /a"))
    assert domain.generation == generation
    assert add_entry(domain, parse_acl("file write /b"))
    assert domain.generation > generation


def test_deleting_takes_operations_and_then_the_entry():
    domain = domain_with("file read/write/getattr /a", "file read /b", "file read /c")
    before = domain.generation

    assert delete_entry(domain, parse_acl("file write/append /a"))
    assert delete_entry(domain, parse_acl("file read /b"))
    assert lines(domain) == ["file read/getattr /a", "file read /c"]
    assert domain.generation == before + 2
    for absent in ("file read /b", "file write /a", "file read /a task.uid=0"):
        assert not delete_entry(domain, parse_acl(absent))
    assert domain.generation == before + 2
    assert add_entry(domain, parse_acl("file write /c"))
    assert lines(domain) == ["file read/getattr /a", "file read/write /c"]


def test_entries_that_came_in_otherwise_are_merged_too():
    domain = Domain(
        "<kernel>", entries=[parse_acl("file read /a"), parse_acl("file read /b"), parse_acl("file write /a")]
    )

    assert add_entry(domain, parse_acl("file append /b"))
    assert lines(domain) == ["file read/write /a", "file read/append /b"]


@given(st.lists(entries(), max_size=8), st.randoms(use_true_random=False))
def test_order_of_arrival_decides_the_place_only(items, random):
    """What is granted is the same whatever the order."""
    one, other = Domain("a"), Domain("b")
    for entry in items:
        add_entry(one, entry)
    random.shuffle(items)
    for entry in items:
        add_entry(other, entry)

    assert set(one.entries) == set(other.entries)


@given(st.lists(entries(), max_size=8))
def test_what_is_added_can_be_deleted(items):
    domain = Domain("a")
    for entry in items:
        add_entry(domain, entry)
    for entry in items:
        delete_entry(domain, entry)

    assert domain.entries == []


def test_operations_stand_in_the_order_of_the_table():
    wanted = [OPERATIONS[f"file {word}"] for word in ("unlink", "read", "execute", "read")]

    assert [operation.keyword for operation in in_table_order(wanted)] == ["file execute", "file read", "file unlink"]


def test_domains_and_namespaces_come_on_demand():
    policy = Policy()
    domain = ensure_domain(policy, "<other> /bin/sh")

    assert (domain.profile, domain.groups, domain.namespace) == (0, set(), "<other>")
    assert ensure_domain(policy, "<other> /bin/sh") is domain
    assert ensure_namespace(policy, "<other>") is policy.namespaces["<other>"]
    assert ensure_acl_group(policy.namespaces["<other>"], 3) is policy.namespaces["<other>"].acl_groups[3]


def test_a_deleted_domain_is_no_longer_listed_and_a_new_one_is_another():
    policy = Policy()
    domain = ensure_domain(policy, "<kernel> /bin/sh")

    assert delete_domain(policy, "<kernel> /bin/sh")
    assert domain.deleted
    assert not delete_domain(policy, "<kernel> /bin/sh")
    assert ensure_domain(policy, "<kernel> /bin/sh") is not domain
    assert not delete_domain(policy, "<kernel>")


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcd"), st.sampled_from(["read", "write", "read/write"]))))
def test_any_order_of_additions_and_deletions_leaves_what_a_dictionary_would(
    steps: list[tuple[bool, str, str]],
) -> None:
    domain, expected = Domain("<kernel>"), dict[str, set[str]]()
    for adds, name, operations in steps:
        entry = parse_acl(f"file {operations} /{name}")
        if adds:
            add_entry(domain, entry)
            expected.setdefault(name, set()).update(operations.split("/"))
        else:
            delete_entry(domain, entry)
            expected.get(name, set()).difference_update(operations.split("/"))
            if not expected.get(name):
                expected.pop(name, None)

    assert [f"file {'/'.join(sorted(operations))} /{name}" for name, operations in expected.items()] == lines(domain)
