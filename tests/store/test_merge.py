from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.policy.edit import add_entry, ensure_domain
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import AclEntry, Name, Policy
from sekisho.store.merge import carry_over, snapshot

Grant = tuple[str, str, str]
"""A domain, an operation and a name."""

GRANTS = st.lists(
    st.tuples(
        st.sampled_from(["<kernel>", "<kernel> /a", "<kernel> /a /b"]),
        st.sampled_from(["file read", "file write", "file unlink"]),
        st.sampled_from(["/x", "/y", "/z"]),
    )
)


def teach(policy: Policy, grants: list[Grant]) -> None:
    for domain, keyword, name in grants:
        add_entry(ensure_domain(policy, domain), AclEntry((OPERATIONS[keyword],), (Name(name),)))


def grants(policy: Policy) -> set[Grant]:
    return {
        (domain.name, operation.keyword, operand.text)
        for domain in policy.domains.values()
        for entry in domain.entries
        for operation in entry.operations
        for operand in entry.operands
    }


def policy_of(taught: list[Grant]) -> Policy:
    policy = Policy()
    teach(policy, taught)
    return policy


@given(GRANTS, GRANTS, GRANTS)
def test_nothing_learned_by_either_is_lost(common: list[Grant], ours: list[Grant], theirs: list[Grant]) -> None:
    mine, disk = policy_of(common), policy_of(common)
    before = snapshot(mine)
    teach(mine, ours)
    teach(disk, theirs)

    carry_over(before, snapshot(mine), disk)

    assert {*common, *ours, *theirs} == grants(disk)


@given(GRANTS, GRANTS)
def test_changed_says_whether_anything_changed(common: list[Grant], ours: list[Grant]) -> None:
    mine, disk = policy_of(common), policy_of(common)
    before = snapshot(mine)
    teach(mine, ours)
    known, domains = grants(disk), set(disk.domains)

    changed = carry_over(before, snapshot(mine), disk)

    assert changed == (grants(disk) != known or set(disk.domains) != domains)


def test_what_another_removed_stays_away() -> None:
    old, new = ("<kernel> /a", "file read", "/x"), ("<kernel> /a", "file read", "/y")
    mine, disk = policy_of([old]), policy_of([])
    before = snapshot(mine)
    teach(mine, [new])

    carry_over(before, snapshot(mine), disk)

    assert {new} == grants(disk)


def test_a_new_domain_brings_its_profile_groups_and_flags() -> None:
    mine, disk = Policy(), Policy()
    before = snapshot(mine)
    domain = ensure_domain(mine, "<kernel> /a")
    domain.profile, domain.groups, domain.quota_exceeded, domain.transition_failed = 3, {0, 7}, True, True

    assert carry_over(before, snapshot(mine), disk)

    copy = disk.domains["<kernel> /a"]
    assert (3, {0, 7}, True, True) == (copy.profile, copy.groups, copy.quota_exceeded, copy.transition_failed)


def test_what_another_set_stays_unless_we_set_it_too() -> None:
    mine, disk = policy_of([("<kernel> /a", "file read", "/x")]), policy_of([("<kernel> /a", "file read", "/x")])
    before = snapshot(mine)
    disk.domains["<kernel> /a"].profile = 3
    teach(mine, [("<kernel> /a", "file read", "/y")])

    carry_over(before, snapshot(mine), disk)
    assert disk.domains["<kernel> /a"].profile == 3

    mine.domains["<kernel> /a"].profile = 2
    carry_over(before, snapshot(mine), disk)
    assert disk.domains["<kernel> /a"].profile == 2
