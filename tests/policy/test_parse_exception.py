"""Exception policy: transitions, aggregators and groups, of each namespace."""

import pytest

from sekisho.errors import PolicyError
from sekisho.policy.model import Name, Policy, TransitionControl
from sekisho.policy.parse_exception import TRANSITIONS, parse_exception_policy
from sekisho.policy.printer import print_exception_policy


def read(text: str, policy: Policy | None = None) -> Policy:
    policy = policy or Policy()
    parse_exception_policy(text, policy, source="f")
    return policy


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("initialize_domain /sbin/init", "initialize_domain /sbin/init from any"),
        ("no_initialize_domain /a from <kernel> /b", "no_initialize_domain /a from <kernel> /b"),
        ("reset_domain any from /b", "reset_domain any from /b"),
        ("no_reset_domain /\\* from any", "no_reset_domain /\\* from any"),
        ("keep_domain <kernel> /a", "keep_domain any from <kernel> /a"),
        ("keep_domain any", "keep_domain any from any"),
        ("no_keep_domain /a from <kernel>", "no_keep_domain /a from <kernel>"),
        ("keep_domain /a", "keep_domain any from /a"),
        ("aggregator /etc/rc\\?.d/\\* /etc/init.d/rc", None),
        ("aggregator pipe:[\\$] proc:/pipe", None),
        ("path_group G /tmp/\\*", None),
        ("path_group G @x", None),
        ("number_group G 0x10-0x1f", "number_group G 0x10-0x1F"),
        ("address_group G 10.0.0.0-10.0.0.9", None),
        ("deny_autobind 1024", None),
        ("deny_autobind 0x10-31", None),
        ("<other> deny_autobind 0-65535", None),
        ("acl_group 0 file write/read /x task.uid=0", "acl_group 0 file read/write /x task.uid=0"),
        ("acl_group 255 task manual_domain_transition <kernel> /a", None),
        ("<kernel> path_group G /a", "path_group G /a"),
        ("<other> path_group G /a", "<other> path_group G /a"),
        ("<other> acl_group 1 file execute /a <other> /b", "<other> acl_group 1 file execute /a <other> /b"),
    ],
)
def test_every_directive_prints_in_long_form_and_is_deleted(text, canonical):
    policy = read(text)
    canonical = canonical or text

    assert print_exception_policy(policy) == canonical + "\n"
    words = canonical.split(" ")
    words.insert(1 if words[0][0] == "<" else 0, "delete")
    read(" ".join(words), policy)
    assert print_exception_policy(policy) == ""


def test_short_forms_mean_different_things():
    program, domain = (TransitionControl("initialize_domain", "/a", None), TransitionControl("keep_domain", None, "/a"))

    assert read("initialize_domain /a\nkeep_domain /a").namespaces["<kernel>"].transitions == [program, domain]


def test_order_of_arrival_holds_and_nothing_is_listed_twice():
    text = "path_group G /b\npath_group G /a\npath_group G /b\n"

    assert read(text).namespaces["<kernel>"].path_groups == {"G": [Name("/b"), Name("/a")]}


def test_a_member_deleted_and_added_comes_last():
    text = "path_group G /b\npath_group G /a\ndelete path_group G /b\npath_group G /b\n"

    assert read(text).namespaces["<kernel>"].path_groups == {"G": [Name("/a"), Name("/b")]}


def test_reading_order():
    text = """\
acl_group 1 file read /b
acl_group 0 file read /a
deny_autobind 80
address_group A ::1
number_group N 1
path_group P /p
aggregator /a /b
keep_domain any from /c
"""

    assert print_exception_policy(read(text)).split("\n")[:-1] == [
        "keep_domain any from /c",
        "aggregator /a /b",
        "path_group P /p",
        "number_group N 1",
        "address_group A ::1",
        "deny_autobind 80",
        "acl_group 0 file read /a",
        "acl_group 1 file read /b",
    ]


def test_every_line_names_its_namespace_once_there_are_two():
    policy = read("path_group G /a\n<other> path_group G /b\n")

    assert print_exception_policy(policy) == "<kernel> path_group G /a\n<other> path_group G /b\n"


def test_a_change_moves_the_generation_on():
    policy = read("path_group G /a")

    assert policy.namespaces["<kernel>"].generation > 0


@pytest.mark.parametrize("keyword", TRANSITIONS)
def test_transitions_want_a_program_or_domain(keyword):
    for rest, column in (("", 1), (" /a from", 9), (" x from any", 2), (" /a b from any", 5), (" /a from x", 10)):
        with pytest.raises(PolicyError) as caught:
            read(keyword + rest)
        assert caught.value.column == len(keyword) + column


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("initialise_domain /a", 1, "unknown directive", "did you mean initialize_domain?"),
        ("file read /x", 1, "unknown directive", "after acl_group N"),
        ("ipc signal 9 <kernel>", 1, "unknown directive", "after acl_group N"),
        ("deny_autobind", 14, "expected a port or a range of ports", ""),
        ("deny_autobind 65536", 15, "a port is at most 65535", ""),
        ("deny_autobind http", 15, "a port: expected a number", ""),
        ("deny_autobind @P", 15, "takes no group", "a line each"),
        ("deny_autobind 80 81", 18, "nothing more is expected", ""),
        ("frob", 1, "unknown directive", "there are: aggregator"),
        ("delete", 7, "expected a directive", ""),
        ("<other>", 8, "expected a directive", ""),
        ("<oth er> path_group", 1, "expected a namespace", ""),
        ("initialize_domain /a from <kernel> /b c", 39, "expected a pathname such as", ""),
        ("keep_domain /a /b", 16, "nothing more is expected", ""),
        ("aggregator /a", 14, "expected the name to use instead", ""),
        ("aggregator /a b", 15, "expected a pathname", ""),
        ("aggregator /a /b\\*", 15, "can't be a pattern", ""),
        ("aggregator /a /b /c", 18, "nothing more is expected", ""),
        ("path_group G", 13, "expected a member", ""),
        ("path_group \\b /a", 12, "\\b means nothing", "after \\ comes"),
        ("path_group G /a\\b", 16, "\\b means nothing", "after \\ comes"),
        ("number_group G x", 16, "expected a number", ""),
        ("number_group G @H", 16, "a group can't be a member", ""),
        ("address_group G @H", 17, "a group can't be a member", ""),
        ("address_group G 1.2.3", 17, "expected an address", ""),
        ("path_group G /a /b", 17, "nothing more is expected", ""),
        ("acl_group 256 file read /a", 11, "from 0 to 255", ""),
        ("acl_group 1", 12, "expected a policy entry", ""),
        ("acl_group 1 file raed /a", 18, "unknown operation 'raed'", "did you mean read?"),
    ],
)
def test_mistakes_are_pointed_at_with_a_hint(text, column, message, hint):
    with pytest.raises(PolicyError) as caught:
        read(text)

    assert caught.value.column == column
    assert message in caught.value.message
    assert hint in caught.value.hint
