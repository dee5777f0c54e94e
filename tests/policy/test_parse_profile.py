"""Profiles: what each line sets, what it leaves, and what is refused."""

import pytest

from sekisho.errors import PolicyError
from sekisho.policy.grammar import OPERATIONS, PROFILE_OPERATIONS
from sekisho.policy.model import Config, Mode, Policy, Profile
from sekisho.policy.parse_profile import parse_profile
from sekisho.policy.printer import print_profile

FILE = """\
PROFILE_VERSION=20150505
0-COMMENT=-----Disabled Mode-----
0-PREFERENCE={ max_audit_log=1024 max_learning_entry=2048 }
0-CONFIG={ mode=disabled grant_log=no reject_log=yes }
1-COMMENT=mixed = 道
1-PREFERENCE={ max_audit_log=0 max_learning_entry=4294967295 enforcing_penalty=15 }
1-CONFIG={ mode=learning grant_log=yes reject_log=no }
1-CONFIG::file::open={ mode=enforcing grant_log=no reject_log=no }
1-CONFIG::misc::env={ mode=disabled grant_log=no reject_log=no }
1-CONFIG::ipc::signal={ mode=learning grant_log=yes reject_log=no }
1-CONFIG::capability::use_bpf={ mode=enforcing grant_log=no reject_log=no }
1-CONFIG::file={ mode=permissive grant_log=yes reject_log=yes }
1-CONFIG::ipc={ mode=disabled grant_log=yes reject_log=yes }
1-CONFIG::capability={ mode=permissive grant_log=yes reject_log=yes }
"""


def read(text: str, policy: Policy | None = None) -> Policy:
    policy = policy or Policy()
    parse_profile(text, policy, source="f")
    return policy


def profile(text: str, number: int = 1) -> Profile:
    return read(text).namespaces["<kernel>"].profiles[number]


def test_a_file_reads_and_prints_unchanged():
    assert print_profile(read(FILE)) == FILE


def test_a_new_profile_is_disabled_with_both_logs():
    made = profile("1-COMMENT=x")

    assert made.configs == {"": Config(Mode.DISABLED, True, True)}
    assert (made.max_audit_log, made.max_learning_entry, made.enforcing_penalty) == (1024, 2048, 0)


def test_an_operation_asks_its_own_entry_then_its_category_then_config():
    made = profile(FILE)

    assert made.config("file::open").mode is Mode.ENFORCING
    assert made.config("file::mkdir").mode is Mode.PERMISSIVE
    assert made.config("network::inet_raw_bind").mode is Mode.LEARNING


def test_what_a_line_does_not_mention_stays():
    made = profile(
        "1-CONFIG={ mode=learning grant_log=no reject_log=no }\n"
        "1-CONFIG={ mode=enforcing }\n"
        "1-CONFIG={ reject_log=yes }\n"
        "1-CONFIG::file={ mode=permissive grant_log=no }\n"
        "1-PREFERENCE={ max_audit_log=7 }\n"
        "1-PREFERENCE={ max_learning_entry=8 }\n"
    )

    assert made.configs == {
        "": Config(Mode.ENFORCING, False, True),
        "file": Config(Mode.PERMISSIVE, False, True),
    }
    assert (made.max_audit_log, made.max_learning_entry) == (7, 8)


def test_use_default_takes_an_entry_away():
    made = profile("1-CONFIG::file={ mode=learning }\n1-CONFIG::file=use_default\n1-CONFIG::file::open=use_default")

    assert made.configs == {"": Config(Mode.DISABLED, True, True)}


@pytest.mark.parametrize("name", [*PROFILE_OPERATIONS, "file", "network", "misc", "ipc", "capability"])
def test_every_operation_can_be_set(name):
    assert profile(f"1-CONFIG::{name}={{ mode=learning }}").configs[name] == Config(Mode.LEARNING, True, True)


def test_every_operation_of_the_grammar_but_task_has_a_mode():
    named = {operation.profile for operation in OPERATIONS.values() if operation.category != "task"}

    assert named == set(PROFILE_OPERATIONS)


def test_namespaces_have_profiles_of_their_own():
    policy = read("1-COMMENT=a\n<other> PROFILE_VERSION=20110903\n<other> 1-COMMENT=b c\n")

    assert policy.namespaces["<other>"].profiles[1].comment == "b c"
    assert print_profile(policy).startswith("<kernel> PROFILE_VERSION=20150505\n<kernel> 1-COMMENT=a\n")
    assert "\n<other> PROFILE_VERSION=20150505\n<other> 1-COMMENT=b c\n" in print_profile(policy)


def test_profiles_that_were_there_stay():
    policy = read("1-COMMENT=a\n2-COMMENT=b")
    read("2-COMMENT=c", policy)

    assert {number: made.comment for number, made in policy.namespaces["<kernel>"].profiles.items()} == {1: "a", 2: "c"}


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("PROFILE_VERSION=20100903", 17, "expected PROFILE_VERSION=20150505", "convert"),
        ("hello", 6, "expected = after 'hello'", ""),
        ("256-COMMENT=x", 1, "unknown key", "N from 0 to 255"),
        ("-1-COMMENT=x", 1, "unknown key", ""),
        ("  1-COMENT=x", 3, "unknown key", ""),
        ("1-COMMENT::file=x", 1, "unknown key", ""),
        ("<x 1-COMMENT=y", 1, "expected a namespace", ""),
        ("1-CONFIG::file::opne={ mode=learning }", 11, "unknown operation", "did you mean file::open?"),
        ("1-CONFIG::task={ mode=learning }", 11, "unknown operation", "docs/language.md"),
        ("1-CONFIG::capability::SYS_TMIE={ mode=learning }", 11, "unknown operation", "capability::SYS_TIME?"),
        ("1-CONFIG=use_default", 10, "it needs a mode", "mode=disabled"),
        ("1-CONFIG={ mode=lerning }", 17, "expected mode=disabled|learning|permissive|enforcing", ""),
        ("1-CONFIG={ mode=learning grant_log=1 }", 36, "expected grant_log=yes|no", ""),
        ("1-CONFIG={ mode=learning log=no }", 26, "unknown key 'log'", "mode grant_log reject_log"),
        ("1-CONFIG={ learning }", 12, "expected key=value", ""),
        ("1-CONFIG::file={ grant_log=no }", 16, "expected mode=", ""),
        ("1-PREFERENCE={ max_audit_log=x }", 30, "expected a number", ""),
        ("1-PREFERENCE={ max_audit_log=4294967296 }", 30, "expected a number", ""),
        (f"1-PREFERENCE={{ max_audit_log={'9' * 5000} }}", 30, "expected a number", ""),
        ("1-PREFERENCE={ penalty=1 }", 16, "unknown preference", "enforcing_penalty"),
    ],
)
def test_mistakes_are_pointed_at_with_a_hint(text, column, message, hint):
    with pytest.raises(PolicyError) as caught:
        read(text)

    assert caught.value.column == column
    assert message in caught.value.message
    assert hint in caught.value.hint
