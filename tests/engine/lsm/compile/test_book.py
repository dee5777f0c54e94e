"""A whole policy: lists by domain and by set of groups, and what can't be had said of each."""

from __future__ import annotations

import pytest

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile import book
from sekisho.engine.lsm.compile.book import compile_policy, domain_flags, group_entries, group_set
from sekisho.engine.lsm.compile.interning import Ids
from sekisho.engine.lsm.compile.regions import Cells
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, ensure_acl_group, ensure_domain
from sekisho.policy.model import Domain, Policy


@pytest.fixture
def policy() -> Policy:
    policy = Policy()
    namespace = policy.namespaces["<kernel>"]
    namespace.aggregators = [("/a", "/b")]
    for number in (7, 2):
        add_entry(ensure_acl_group(namespace, number), parse_acl(f"file read /{number}"))
    ensure_acl_group(namespace, 3)
    for name, groups in (("<kernel> /a", {2, 3, 7, 9}), ("<kernel> /b", {7, 2}), ("<kernel> /c", {3})):
        ensure_domain(policy, name).groups = groups
    add_entry(policy.domains["<kernel> /c"], parse_acl("file read /x"))
    return policy


def test_domains_with_the_same_groups_share_a_list(policy: Policy) -> None:
    ids = Ids()
    made = compile_policy(policy, ids, Cells())

    assert [("<kernel>", (2, 7))] == list(made.shared)
    assert ["<kernel> /c"] == list(made.lists)
    assert ["<kernel>", "<kernel> /a", "<kernel> /b", "<kernel> /c"] == list(ids.domains)
    assert made.namespaces["<kernel>"].aggregators is not None
    assert {} == made.problems


def test_groups_are_asked_in_ascending_order(policy: Policy) -> None:
    groups = group_set(policy, policy.domains["<kernel> /a"])
    assert groups is not None

    assert ["/2", "/7"] == [entry.operands[0].text for entry in group_entries(policy, groups)]
    assert group_set(policy, policy.domains["<kernel> /c"]) is None


def test_a_list_that_is_too_large_grants_nothing(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("too large")

    monkeypatch.setattr(book, "compile_list", refuse)
    monkeypatch.setattr(book, "aggregators", refuse)
    made = compile_policy(policy, Ids(), Cells())

    assert ["aggregators of <kernel>", ("<kernel>", (2, 7)), "<kernel> /c"] == list(made.problems)
    assert made.namespaces["<kernel>"].aggregators is None
    assert bytes(layout.List()) == bytes(made.lists["<kernel> /c"].header)


def test_what_the_kernel_knows_of_a_domain() -> None:
    assert layout.DOMAIN_EXISTS == domain_flags(Domain("<kernel>"))
    assert layout.DOMAIN_EXISTS | layout.DOMAIN_TRANSITION_FAILED == domain_flags(
        Domain("<kernel>", transition_failed=True)
    )
    assert 0 == domain_flags(Domain("<kernel>", deleted=True))
