"""Managers: programs and domains, and whether others than root may be one."""

import pytest

from sekisho.errors import PolicyError
from sekisho.policy.model import Policy
from sekisho.policy.parse_manager import parse_manager
from sekisho.policy.printer import print_manager


def read(text: str, policy: Policy | None = None) -> Policy:
    policy = policy or Policy()
    parse_manager(text, policy, source="f")
    return policy


def test_programs_and_domains():
    text = "manage_by_non_root\n/usr/sbin/tool\n<kernel> /usr/sbin/sshd\n<kernel>\n"

    assert print_manager(read(text)) == text
    assert print_manager(read(text + text)) == text


def test_deleted():
    policy = read("manage_by_non_root\n/a\n/b\n<kernel> /c\n")
    read("delete manage_by_non_root\ndelete /a\ndelete <kernel> /c\ndelete /absent", policy)

    assert print_manager(policy) == "/b\n"


@pytest.mark.parametrize(
    ("text", "column"),
    [("tool", 1), ("/usr/\\*", 1), ("/a /b", 4), ("<kernel> b", 10), ("delete", 7), ("delete x", 8), ("<a", 1)],
)
def test_mistakes_are_pointed_at(text, column):
    with pytest.raises(PolicyError) as caught:
        read(text)

    assert caught.value.column == column
