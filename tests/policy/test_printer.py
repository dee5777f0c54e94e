"""The printed forms, byte for byte."""

from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, delete_domain, ensure_acl_group, ensure_domain
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
    text = 'file execute /bin/sh reset task.uid!=0 exec.argv[0]="-sh" grant_log=yes'
    assert print_acl(parse_acl('file execute /bin/sh reset grant_log=yes task.uid!=0 exec.argv[0]="-sh"')) == text

    text = 'file read /x task.uid!=0 grant_log=yes auto_domain_transition="/a"'
    assert print_acl(parse_acl('file read /x auto_domain_transition="/a" grant_log=yes task.uid!=0')) == text


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


def test_only_what_leads_to_other_domains():
    policy = Policy()
    domain = ensure_domain(policy, "<kernel> /a")
    for text in (
        "file read/execute /x task.uid=0",
        "file read /y",
        "task auto_execute_handler /h",
        "capability SYS_TIME",
        "task manual_domain_transition <kernel>",
    ):
        add_entry(domain, parse_acl(text))
        add_entry(ensure_acl_group(policy.namespaces["<kernel>"], 3), parse_acl(text))
    policy.namespaces["<kernel>"].aggregators.append(("/b", "/c"))

    only = ["file execute /x task.uid=0", "task auto_execute_handler /h", "task manual_domain_transition <kernel>"]
    assert print_domain(domain, transition_only=True) == "\n".join(["<kernel> /a", "use_profile 0", "", *only, "", ""])
    assert print_domain_policy(policy, transition_only=True).endswith(print_domain(domain, transition_only=True))
    assert print_exception_policy(policy, transition_only=True) == "aggregator /b /c\n" + "".join(
        f"acl_group 3 {line}\n" for line in only
    )
