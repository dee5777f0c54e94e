"""The printed forms, byte for byte."""

from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, delete_domain, ensure_domain
from sekisho.policy.model import Domain, Policy
from sekisho.policy.printer import (
    print_acl,
    print_domain,
    print_domain_policy,
    print_exception_policy,
    print_manager,
    print_profile,
)


def test_an_entry_prints_preference_then_conditions_then_grant_log_then_where_it_leads():
    text = 'file execute /bin/sh reset task.uid!=0 exec.argv[0]="-sh" grant_log=yes auto_domain_transition="/a"'

    written = 'auto_domain_transition="/a" grant_log=yes task.uid!=0 exec.argv[0]="-sh"'
    assert print_acl(parse_acl(f"file execute /bin/sh reset {written}")) == text


def test_a_domain():
    domain = Domain("<kernel> /a", 1, {10, 2}, quota_exceeded=True, transition_failed=True)
    add_entry(domain, parse_acl("file write /x"))
    add_entry(domain, parse_acl("file read /x"))

    assert print_domain(domain) == (
        "<kernel> /a\nuse_profile 1\nquota_exceeded\ntransition_failed\nuse_group 2\nuse_group 10\n"
        "\nfile read/write /x\n\n"
    )


def test_deleted_domains_are_not_listed():
    policy = Policy()
    ensure_domain(policy, "<kernel> /a")
    ensure_domain(policy, "<kernel> /b")
    delete_domain(policy, "<kernel> /a")

    assert print_domain_policy(policy) == "<kernel>\nuse_profile 0\n\n\n<kernel> /b\nuse_profile 0\n\n\n"


def test_an_empty_policy():
    assert print_exception_policy(Policy()) == ""
    assert print_manager(Policy()) == ""
    assert print_profile(Policy()) == "PROFILE_VERSION=20150505\n"
