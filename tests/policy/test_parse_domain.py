"""Domain policy: domains, their flags and entries, and the lines that take them away again."""

import pytest

from sekisho.errors import PolicyError
from sekisho.policy.model import Policy
from sekisho.policy.parse_domain import parse_domain_policy
from sekisho.policy.printer import print_domain_policy

LEARNED = """\
<kernel> /usr/bin/cp
use_profile 4
use_group 0

misc env PATH
file read/getattr /etc/ld.so.cache
file read/getattr proc:/filesystems
file create /tmp/t/b 0600
file write/getattr /tmp/t/b
file ioctl /tmp/t/b 0x40049409
file symlink /tmp/t/l symlink.target="some\\040target"
file execute /usr/bin/cat exec.realpath="/usr/bin/cat" exec.argv[0]="cat"
file mkchar /tmp/t/n 0644 1 3
file mount none /tmp/t/m/ tmpfs 0x0
file chown /tmp/t/a 1
network inet stream bind/listen 127.0.0.1 8081
network inet raw send 127.0.0.1 1
network unix stream bind/listen/connect /tmp/t/sock
file ioctl pipe:[1234] 0x541B

"""
"""Lines of policies that a TOMOYO kernel learned."""


def read(text: str, policy: Policy | None = None) -> Policy:
    policy = policy or Policy()
    parse_domain_policy(text, policy, source="f")
    return policy


def test_what_a_kernel_learned_reads_and_prints_unchanged():
    assert print_domain_policy(read(LEARNED)) == "<kernel>\nuse_profile 0\n\n\n" + LEARNED


def test_everything_a_domain_has():
    policy = read(
        "<kernel> /a\nuse_profile 3\nquota_exceeded\ntransition_failed\nuse_group 7\nuse_group 0\nfile read /x\n"
    )
    domain = policy.domains["<kernel> /a"]

    assert (domain.profile, domain.groups) == (3, {0, 7})
    assert (domain.quota_exceeded, domain.transition_failed) == (True, True)
    assert len(domain.entries) == 1


def test_a_domain_in_a_new_namespace_makes_it():
    assert "<other>" in read("<other> /a").namespaces


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("delete file read /x", ["file write /x"]),
        ("delete file read/write /x", []),
        ("delete file read /absent", ["file read/write /x"]),
        ("file getattr /x", ["file read/write/getattr /x"]),
        ("select <kernel> /a\ndelete file write /x", ["file read /x"]),
    ],
)
def test_lines_change_the_domain_spoken_of(text, expected):
    policy = read("<kernel> /a\nfile read/write /x\n")
    read("<kernel> /a\n" + text, policy)

    assert print_domain_policy(policy).partition("<kernel> /a\nuse_profile 0\n\n")[2].split("\n")[:-2] == expected


def test_flags_and_groups_are_deleted():
    policy = read("<kernel> /a\nuse_group 3\nquota_exceeded\ntransition_failed")
    read("<kernel> /a\ndelete use_group 3\ndelete quota_exceeded\ndelete transition_failed\ndelete use_group 9", policy)
    domain = policy.domains["<kernel> /a"]

    assert (domain.groups, domain.quota_exceeded, domain.transition_failed) == (set(), False, False)


def test_a_deleted_domain_comes_back_as_a_new_one():
    policy = read("<kernel> /a\nfile read /x\n")
    old = policy.domains["<kernel> /a"]
    read("delete <kernel> /a\ndelete <kernel> /absent\n<kernel> /a\nfile write /y\n", policy)
    new = policy.domains["<kernel> /a"]

    assert old.deleted
    assert new is not old
    assert len(new.entries) == 1


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("file read /x", [(1, 1)]),
        ("use_profile 1", [(1, 1)]),
        ("<kernel> /a b", [(1, 13)]),
        ("<kernel> /a b\nfile read /x", [(1, 13)]),
        ("<kernel", [(1, 1)]),
        ("<kernel> /a\nuse_profile", [(2, 12)]),
        ("<kernel> /a\nuse_profile 256", [(2, 13)]),
        ("<kernel> /a\nuse_profile 1 2", [(2, 15)]),
        ("<kernel> /a\nuse_group x", [(2, 11)]),
        ("<kernel> /a\nquota_exceeded yes", [(2, 16)]),
        ("<kernel> /a\ndelete use_profile 1", [(2, 8)]),
        ("<kernel> /a\ndelete", [(2, 7)]),
        ("select <kernel> /a", [(1, 8)]),
        ("select pid=1", [(1, 8)]),
        ("delete <kernel>", [(1, 8)]),
        ("<kernel> /a\ndelete <kernel> /a\nfile read /x", [(3, 1)]),
        ("<kernel> /a\nfile read /x y\nfile read /ok\nfile read", [(2, 14), (4, 10)]),
    ],
)
def test_mistakes_are_pointed_at(text, positions):
    with pytest.raises(PolicyError) as caught:
        read(text)

    assert [(error.line, error.column) for error in caught.value.all] == positions


def test_ten_thousand_entries_are_read():
    lines = [f"file read /usr/share/doc/{number}" for number in range(10_000)]
    policy = read("\n".join(["<kernel> /a", *lines, *lines]))

    assert len(policy.domains["<kernel> /a"].entries) == 10_000
