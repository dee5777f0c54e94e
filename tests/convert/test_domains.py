"""Domain policies: domains, their groups, what belongs to no entry."""

import pytest
from tests.convert.support import Noted

from sekisho.convert.dialect import Dialect
from sekisho.convert.domains import Domains
from sekisho.convert.overwriting import Overwriting


def converted(text, dialect=Dialect.V23, denied=(), **options):
    notes = Noted()
    domains = Domains(dialect, notes, Overwriting(list(denied)), **options)
    lines = list(domains.convert(text))
    return [line.text for line in lines], notes.said, domains


def test_a_domain_uses_the_group_of_what_all_may_read():
    lines, said, _ = converted("<kernel>\nuse_profile 1\n\nallow_read /a\n<kernel> /b\nuse_profile 1\nallow_read /c\n")

    assert lines == [
        *("<kernel>", "use_profile 1", "use_group 0", "", "file read /a"),
        *("<kernel> /b", "use_profile 1", "use_group 0", "file read /c"),
    ]
    assert said == []


@pytest.mark.parametrize(
    ("dialect", "flag", "groups"),
    [
        (Dialect.V23, "ignore_global_allow_read", []),
        (Dialect.V17, "", ["use_group 0", "use_group 1"]),
        (Dialect.V17, "ignore_global_allow_read", ["use_group 1"]),
        (Dialect.V17, "ignore_global_allow_env", ["use_group 0"]),
    ],
)
def test_a_domain_may_ignore_what_all_may_do(dialect, flag, groups):
    lines, said, _ = converted(f"<kernel>\nuse_profile 0\n{flag}\n", dialect)

    assert [line for line in lines if line.strip()] == ["<kernel>", "use_profile 0", *groups]
    assert said == []


def test_what_is_said_later_of_a_domain_counts():
    lines, _, _ = converted("<kernel> /a\nallow_write /l\n<kernel>\n<kernel> /a\nallow_rewrite /l\n", denied=["/l"])

    assert "file write/append /l" in lines


def test_programs_have_the_names_of_today():
    lines, _, _ = converted("<kernel> /proc/self/exe\nselect <kernel> /proc/1/exe\ndelete <kernel> /proc/2/exe")

    assert lines == [
        *("<kernel> proc:/self/exe", "use_group 0", "select <kernel> proc:/1/exe", "delete <kernel> proc:/2/exe"),
    ]


def test_flags_comments_and_deletions():
    lines, said, _ = converted("# c\n<kernel>\nquota_exceeded\ntransition_failed\ndelete allow_write /a\n  # d\n")

    assert lines == [
        *("# c", "<kernel>", "use_group 0", "quota_exceeded", "transition_failed", "delete file write/append /a"),
        "  # d",
    ]
    assert said == []


def test_what_cannot_be_said_is_left_out():
    lines, said, _ = converted("<kernel>\nallow_fly /a\ndelete\nuse_group 3\n")

    assert lines == ["<kernel>", "use_group 0"]
    assert [fate for fate, _ in said] == ["left out"] * 3


def test_the_group_of_any_device_is_asked_for():
    assert converted("<kernel>\nallow_mount /a/\n", Dialect.V22)[2].needs_any_device
    assert not converted("<kernel>\nallow_chroot /a/\n", Dialect.V22)[2].needs_any_device


@pytest.mark.parametrize("dialect", [Dialect.V24, Dialect.V25, Dialect.V18])
def test_a_domain_had_one_group_and_it_was_0(dialect):
    lines, said, _ = converted("<kernel>\nuse_profile 1\n\nfile read /a\n<kernel> /b\nuse_group 3\n", dialect)

    assert lines == ["<kernel>", "use_profile 1", "use_group 0", "", "file read /a", "<kernel> /b", "use_group 3"]
    assert said == []


def test_the_last_of_several_groups_counted():
    text = "<kernel>\nuse_group 1\nuse_group 2\n"

    assert converted(text, Dialect.V25)[:2] == (
        ["<kernel>", "use_group 2"],
        [("left out", "a domain of TOMOYO 2.5 uses one group, the last that is named")],
    )
    assert converted(text, Dialect.V18)[:2] == (["<kernel>", "use_group 1", "use_group 2"], [])


@pytest.mark.parametrize(
    ("dialect", "options"), [(Dialect.TODAY, {}), (Dialect.V26, {}), (Dialect.V18, {"lists_groups": True})]
)
def test_where_groups_are_listed_nothing_is_added(dialect, options):
    text = "<kernel>\nuse_profile 1\nuse_group 1\nuse_group 2\n<kernel> /a\n use_profile  1\nfile  read /a\n"

    assert converted(text, dialect, **options)[:2] == (text.splitlines(), [])


def test_a_group_before_any_domain_is_nobodys():
    assert converted("use_group 1\n", Dialect.V25)[:2] == (["use_group 1"], [])
