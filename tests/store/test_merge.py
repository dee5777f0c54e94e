from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.strategies import policies

from sekisho.policy.edit import add_entry, delete_domain, delete_entry, ensure_domain
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import AclEntry, Mode, Name, Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_manager, parse_profile
from sekisho.policy.printer import print_domain_policy, print_exception_policy, print_manager, print_profile
from sekisho.store.merge import carry_over
from sekisho.store.snapshot import NamespaceState, snapshot

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

    assert bool(changed) == (grants(disk) != known or set(disk.domains) != domains)


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


def read(**texts: str) -> Policy:
    policy = Policy()
    parsers = {"profile": parse_profile, "exception": parse_exception_policy, "manager": parse_manager}
    for name, text in texts.items():
        parsers.get(name, parse_domain_policy)(text, policy)
    return policy


def copy_of(policy: Policy) -> Policy:
    copy = Policy()
    parse_profile(print_profile(policy), copy)
    parse_exception_policy(print_exception_policy(policy), copy)
    parse_domain_policy(print_domain_policy(policy), copy)
    parse_manager(print_manager(policy), copy)
    return copy


@given(policies(), policies())
@settings(deadline=None)
def test_where_nobody_else_writes_it_becomes_what_we_have(before: Policy, now: Policy) -> None:
    """Whatever one policy is and another one was: profiles and namespaces aside, which nothing takes away."""
    disk = copy_of(before)

    carry_over(snapshot(before), snapshot(now), disk)

    expected, result = snapshot(now), snapshot(disk)
    assert {name: set(state.entries) for name, state in expected.domains.items()} == {
        name: set(state.entries) for name, state in result.domains.items()
    }
    for name, namespace in result.namespaces.items():
        mine = expected.namespaces.get(name, NamespaceState())
        if name in expected.namespaces:
            assert {key: set(held) for key, held in mine.lists.items()} == {
                key: set(held) for key, held in namespace.lists.items()
            }
            assert {number: set(held) for number, held in mine.acl_groups.items()} == {
                number: set(held) for number, held in namespace.acl_groups.items()
            }
            assert mine.profiles.keys() <= namespace.profiles.keys()
    assert set(expected.managers) == set(result.managers)
    assert expected.manage_by_non_root == result.manage_by_non_root


@given(policies())
@settings(deadline=None)
def test_what_did_not_change_changes_nothing(policy: Policy) -> None:
    disk = copy_of(policy)

    assert carry_over(snapshot(policy), snapshot(policy), disk) == set()


def test_a_deleted_entry_goes_away_and_what_others_added_stays() -> None:
    mine = policy_of([("<kernel> /a", "file read", "/x"), ("<kernel> /a", "file write", "/x")])
    disk = copy_of(mine)
    teach(disk, [("<kernel> /a", "file unlink", "/x"), ("<kernel> /a", "file read", "/theirs")])
    before = snapshot(mine)
    delete_entry(mine.domains["<kernel> /a"], AclEntry((OPERATIONS["file write"],), (Name("/x"),)))

    assert carry_over(before, snapshot(mine), disk) == {"domain_policy.conf", "profile.conf"}

    assert grants(disk) == {
        ("<kernel> /a", "file read", "/x"),
        ("<kernel> /a", "file unlink", "/x"),
        ("<kernel> /a", "file read", "/theirs"),
    }


def test_a_deleted_domain_goes_away_unless_others_have_learned_in_it() -> None:
    mine = policy_of([("<kernel> /a", "file read", "/x"), ("<kernel> /b", "file read", "/x")])
    disk = copy_of(mine)
    teach(disk, [("<kernel> /b", "file read", "/theirs")])
    before = snapshot(mine)
    delete_domain(mine, "<kernel> /a")
    delete_domain(mine, "<kernel> /b")

    carry_over(before, snapshot(mine), disk)

    assert grants(disk) == {("<kernel> /b", "file read", "/theirs")}
    assert set(disk.domains) == {"<kernel>", "<kernel> /b"}


def test_flags_and_groups_go_away_too() -> None:
    mine = read(domain="<kernel> /a\nuse_group 1\nuse_group 2\nquota_exceeded\ntransition_failed\n")
    disk = copy_of(mine)
    disk.domains["<kernel> /a"].groups.add(9)
    before = snapshot(mine)
    domain = mine.domains["<kernel> /a"]
    domain.groups, domain.quota_exceeded, domain.transition_failed = {2, 3}, False, False

    carry_over(before, snapshot(mine), disk)

    copy = disk.domains["<kernel> /a"]
    assert ({2, 3, 9}, False, False) == (copy.groups, copy.quota_exceeded, copy.transition_failed)


def test_each_field_of_a_profile_is_whose_who_changed_it() -> None:
    mine = read(profile="1-COMMENT=old\n1-CONFIG={ mode=learning }\n1-CONFIG::file={ mode=permissive }\n")
    disk = copy_of(mine)
    before = snapshot(mine)
    parse_profile("1-CONFIG::misc={ mode=learning }\n1-COMMENT=theirs\n", disk)
    parse_profile("1-CONFIG={ mode=enforcing }\n1-CONFIG::file=use_default\n2-COMMENT=new\n", mine)

    assert carry_over(before, snapshot(mine), disk) == {"profile.conf"}

    result = disk.namespaces["<kernel>"].profiles
    assert (result[1].comment, set(result[1].configs)) == ("theirs", {"", "misc"})
    assert result[1].configs[""].mode is Mode.ENFORCING
    assert result[2].comment == "new"


def test_profiles_of_the_merged_policy_are_its_own() -> None:
    mine = read(profile="1-COMMENT=ours\n")
    disk = Policy()
    carry_over(snapshot(Policy()), snapshot(mine), disk)
    disk.namespaces["<kernel>"].profiles[1].comment = "theirs"

    assert mine.namespaces["<kernel>"].profiles[1].comment == "ours"


def test_exception_policy_and_managers_are_merged_line_by_line() -> None:
    mine = read(
        exception="path_group G /a\npath_group G /b\nacl_group 3 file read /x\ninitialize_domain /x from any\n",
        manager="/old\nmanage_by_non_root\n",
    )
    disk = copy_of(mine)
    before = snapshot(mine)
    parse_exception_policy("path_group G /theirs\nacl_group 3 file read /theirs\n", disk)
    parse_manager("/theirs\n", disk)
    parse_exception_policy(
        "delete path_group G /a\ndelete acl_group 3 file read /x\n<n> deny_autobind 80\n"
        "delete initialize_domain /x from any\n", mine,
    )  # fmt: skip
    parse_manager("delete /old\ndelete manage_by_non_root\n/new\n", mine)

    assert carry_over(before, snapshot(mine), disk) == {"exception_policy.conf", "manager.conf"}

    assert print_exception_policy(disk).splitlines() == [
        "<kernel> path_group G /b", "<kernel> path_group G /theirs", "<kernel> acl_group 3 file read /theirs",
        "<n> deny_autobind 80",
    ]  # fmt: skip
    assert print_manager(disk) == "/theirs\n/new\n"


def test_a_profile_that_nobody_defined_is_defined_as_holding_nobody() -> None:
    mine = Policy()
    before = snapshot(mine)
    ensure_domain(mine, "<other> /a").profile = 7
    disk = read(profile="0-COMMENT=\n")

    assert carry_over(before, snapshot(mine), disk) == {"domain_policy.conf", "profile.conf"}
    assert disk.namespaces["<other>"].profiles[7].configs[""].mode is Mode.DISABLED


def test_a_namespace_that_has_nothing_yet_is_kept() -> None:
    ours, theirs = Policy(), Policy()
    before = snapshot(ours)
    parse_profile("<new> PROFILE_VERSION=20150505\n", ours)

    assert {"profile.conf"} == carry_over(before, snapshot(ours), theirs)
    assert "<new> PROFILE_VERSION=20150505\n" in print_profile(theirs)
    assert set() == carry_over(before, snapshot(ours), theirs)
