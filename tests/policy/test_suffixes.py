"""What follows an entry's operands, in any order, and where it ends."""

import pytest

from sekisho.policy.lines import Fault, words_of
from sekisho.policy.model import Condition
from sekisho.policy.suffixes import Suffixes, suffixes_at

_UID = Condition("task.uid", "0", True)
_GID = Condition("task.gid", "0", False)


def read(text: str) -> Suffixes:
    return suffixes_at(words_of(text), 1)


@pytest.mark.parametrize(
    ("text", "suffixes"),
    [
        ("x", Suffixes((), None, None)),
        ("x task.uid=0 task.gid!=0", Suffixes((_UID, _GID), None, None)),
        ("x task.uid=0 grant_log=yes task.gid!=0", Suffixes((_UID, _GID), True, None)),
        ("x grant_log=no", Suffixes((), False, None)),
        ('x auto_domain_transition="/bin/sh"', Suffixes((), None, "/bin/sh")),
        ('x auto_domain_transition="<kernel>" task.uid=0', Suffixes((_UID,), None, "<kernel>")),
        (
            'x auto_domain_transition="<kernel> /a /b" grant_log=no task.uid=0',
            Suffixes((_UID,), False, "<kernel> /a /b"),
        ),
        ('x auto_domain_transition="<kernel> /a" /b"', Suffixes((), None, '<kernel> /a" /b')),
        ('x auto_domain_transition="/a""', Suffixes((), None, '/a"')),
        (
            'x auto_domain_transition="<kernel> /a" exec.realpath="/b"',
            Suffixes((Condition("exec.realpath", '"/b"', True),), None, "<kernel> /a"),
        ),
    ],
)
def test_all_that_may_follow(text, suffixes):
    assert read(text) == suffixes


@pytest.mark.parametrize(
    ("text", "word", "offset", "message"),
    [
        ("x grant_log=maybe", 1, 0, "expected grant_log="),
        ("x grant_log!=yes", 1, 0, "expected grant_log="),
        ("x grant_log=yes grant_log=no", 2, 0, "twice"),
        ('x auto_domain_transition="/a" auto_domain_transition="/b"', 2, 0, "twice"),
        ('x auto_domain_transition="<kernel> /a" auto_domain_transition="/b"', 3, 0, "twice"),
        ("x auto_domain_transition=/a", 1, 0, "in double quotes"),
        ('x auto_domain_transition!="/a"', 1, 0, "in double quotes"),
        ('x auto_domain_transition="/a', 1, 0, "expected a double quote at the end"),
        ('x auto_domain_transition="<kernel> /a', 2, 0, "expected a double quote at the end"),
        ('x auto_domain_transition="<kernel> /a task.uid=0', 2, 0, "expected a double quote at the end"),
        ('x auto_domain_transition="child"', 1, 24, "expected a pathname"),
        ('x auto_domain_transition=""', 1, 24, "the destination"),
        ('x auto_domain_transition="<kernel /a"', 1, 24, "expected a namespace"),
        ('x auto_domain_transition="/a" /b', 2, 0, "expected a condition"),
    ],
)
def test_refused(text, word, offset, message):
    with pytest.raises(Fault, match=message) as caught:
        read(text)

    assert (caught.value.word, caught.value.offset) == (word, offset)
