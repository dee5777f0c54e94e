"""Every directive of exception policy of each version."""

import pytest
from tests.convert.support import Noted

from sekisho.convert.dialect import Dialect
from sekisho.convert.exceptions import Exceptions, any_device, overwriting
from sekisho.convert.overwriting import Covered
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_exception_policy


def converted(text, dialect=Dialect.V17):
    notes = Noted()
    exceptions = Exceptions(dialect, notes)
    return [line.text for line in exceptions.convert(text)], notes.said, exceptions.rewrite


TABLE = [
    ("aggregator /usr/bin/tac /bin/cat", ["aggregator /usr/bin/tac /bin/cat"]),
    (r"aggregator /proc/\$/exe /proc/self/exe", [r"aggregator proc:/\$/exe proc:/self/exe"]),
    ("initialize_domain /usr/sbin/sshd", ["initialize_domain /usr/sbin/sshd from any"]),
    ("initialize_domain /a from /b", ["initialize_domain /a from /b"]),
    ("initialize_domain /a from <kernel> /b", ["initialize_domain /a from <kernel> /b"]),
    ("initialize_domain /a from any", ["initialize_domain /a from any"]),
    ("no_initialize_domain /a", ["no_initialize_domain /a from any"]),
    ("no_initialize_domain /a from /b", ["no_initialize_domain /a from /b"]),
    ("keep_domain <kernel> /a /b", ["keep_domain any from <kernel> /a /b"]),
    ("keep_domain /a", ["keep_domain any from /a"]),
    ("keep_domain /a from <kernel> /proc/self/exe", ["keep_domain /a from <kernel> proc:/self/exe"]),
    ("no_keep_domain /proc/1/exe", ["no_keep_domain any from proc:/1/exe"]),
    ("no_keep_domain /a from /b", ["no_keep_domain /a from /b"]),
    (r"path_group G /home/\*/\*", [r"path_group G /home/\*/\*"]),
    ("path_group G /proc/meminfo", ["path_group G proc:/meminfo"]),
    ("number_group G 0644", ["number_group G 0644"]),
    ("address_group G 10.0.0.0-10.255.255.255", ["address_group G 10.0.0.0-10.255.255.255"]),
    ("deny_autobind 1-1023", ["deny_autobind 1-1023"]),
    ("allow_read /lib/ld-2.5.so", ["acl_group 0 file read /lib/ld-2.5.so"]),
    ("allow_env PATH", ["acl_group 1 misc env PATH"]),
    ("delete allow_env PATH", ["delete acl_group 1 misc env PATH"]),
    ("delete path_group G /a", ["delete path_group G /a"]),
    ("# comment", ["# comment"]),
    ("", [""]),
]


@pytest.mark.parametrize(("old", "today"), TABLE)
def test_what_a_directive_is_today(old, today):
    assert converted(f"{old}\n") == (today, [], [])
    parse_exception_policy("\n".join(today), Policy())


@pytest.mark.parametrize(("old", "today"), TABLE)
def test_newer_text_stays(old, today):
    assert converted(f"{old}\n", Dialect.V25) == ([old], [], [])


def test_other_processes_and_the_own_one_are_two_members():
    lines, _, _ = converted(r"path_group G /proc/\$/stat" + "\n" + r"allow_read /proc/\$/maps", Dialect.V22)

    assert lines == [
        *(r"path_group G proc:/\$/stat", "path_group G proc:/self/stat"),
        *(r"acl_group 0 file read proc:/\$/maps", "acl_group 0 file read proc:/self/maps"),
    ]


@pytest.mark.parametrize(
    ("old", "rules"),
    [
        (r"file_pattern /proc/\$/status", [r"name proc:/\$/status"]),
        (r"file_pattern pipe:[\$]", [r"name pipe:[\$]"]),
        (r"file_pattern /tmp/ssh-\?\?\?\?/agent.\$", [r"name /tmp/ssh-\?\?\?\?/agent.\$"]),
    ],
)
def test_patterns_for_learning_become_rules(old, rules):
    lines, said, found = converted(f"{old}\n{old}\n")

    assert (lines, found) == ([], rules)
    assert [fate for fate, _ in said] == ["changed", "changed"]


@pytest.mark.parametrize(
    ("old", "fate", "reason"),
    [
        (r"file_pattern /home/\*", "left out", "would leave names as they are"),
        (r"file_pattern /home/\{\*\}/\$", "left out", "has no meaning in a rewrite rule"),
        ("file_pattern", "left out", "takes one pattern"),
        (r"deny_rewrite /var/log/\*", "changed", "no such line today"),
        ("alias /bin/bash /bin/sh", "left out", "symbolic link"),
        ("path_group G", "left out", "a group's name and a member"),
        ("allow_read", "left out", "takes one name"),
        ("delete", "left out", "no directive"),
        ("execute_handler /a", "left out", "no directive of exception policy in TOMOYO 1.7"),
    ],
)
def test_what_cannot_be_said_today(old, fate, reason):
    lines, said, _ = converted(f"{old}\n")

    assert lines == []
    assert [(is_, reason in why) for is_, why in said] == [(fate, True)]


def test_what_domains_have_to_know():
    found = overwriting("deny_rewrite /a\n# deny_rewrite /c\npath_group G /a\npath_group G /b\ndeny_rewrite\n")

    assert (found.denied, found.groups) == (["/a"], {"G": ["/a", "/b"]})
    assert found.is_denied("@G") is Covered.UNKNOWN


@pytest.mark.parametrize("device", ["/dev/sda1", "/", "/home/", "/srv/a/", "none", "proc:/", "proc:/1/", "server:/a/b"])
def test_any_device_is_any(device):
    from sekisho.names.pattern import compile_pattern

    policy = Policy()
    parse_exception_policy("\n".join(any_device()), policy)
    (members,) = policy.namespaces["<kernel>"].path_groups.values()

    assert any(compile_pattern(member.text).matches(device) for member in members)
