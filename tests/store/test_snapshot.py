from __future__ import annotations

from hypothesis import given, settings
from tests.policy.strategies import policies

from sekisho.policy.edit import delete_domain, ensure_domain
from sekisho.policy.model import Name, Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_manager, parse_profile
from sekisho.store.snapshot import list_of, snapshot

CHANGES = [
    (parse_domain_policy, "<kernel> /new\n"),
    (parse_domain_policy, "<kernel>\nfile read /new\n"),
    (parse_domain_policy, "<kernel>\nuse_profile 255\n"),
    (parse_domain_policy, "<kernel>\nuse_group 255\n"),
    (parse_exception_policy, "initialize_domain /new from any\n"),
    (parse_exception_policy, "aggregator /new /newer\n"),
    (parse_exception_policy, "path_group NEW /new\n"),
    (parse_exception_policy, "number_group NEW 1\n"),
    (parse_exception_policy, "address_group NEW 1.2.3.4\n"),
    (parse_exception_policy, "deny_autobind 1-2\n"),
    (parse_exception_policy, "acl_group 255 file read /new\n"),
    (parse_profile, "255-COMMENT=new\n"),
    (parse_profile, "1-CONFIG::file::open={ mode=enforcing }\n"),
    (parse_manager, "/new\n"),
    (parse_manager, "manage_by_non_root\n"),
]


@given(policies())
@settings(deadline=None)
def test_a_snapshot_is_equal_until_something_changes(policy: Policy) -> None:
    assert snapshot(policy) == snapshot(policy)


def test_whatever_changes_makes_it_another_and_leaves_the_old_as_it_was() -> None:
    policy = Policy()
    parse_profile("1-CONFIG={ mode=learning }\n", policy)
    for parse, text in CHANGES:
        before, again = snapshot(policy), snapshot(policy)
        parse(text, policy)

        assert snapshot(policy) != before, text
        assert before == again, text


def test_empty_groups_and_deleted_domains_are_not_mentioned() -> None:
    policy = Policy()
    before = snapshot(policy)
    parse_exception_policy(
        "path_group G /a\ndelete path_group G /a\nacl_group 1 file read /a\ndelete acl_group 1 file read /a\n", policy
    )
    ensure_domain(policy, "<kernel> /a")
    delete_domain(policy, "<kernel> /a")

    assert before == snapshot(policy)


def test_a_list_can_be_changed_whether_or_not_it_was_there() -> None:
    namespace = Policy().namespaces["<kernel>"]
    list_of(namespace, ("aggregators", "")).append(("/a", "/b"))
    list_of(namespace, ("path_groups", "G")).append(Name("/x"))

    assert namespace.aggregators == [("/a", "/b")]
    assert namespace.path_groups["G"] == [Name("/x")]
