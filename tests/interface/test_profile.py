"""Profile lines as the kernel reads them (spec b)."""

from __future__ import annotations

import pytest
from tests.interface.stage import MANAGER, Stage, read, write

from sekisho.interface.profile import set_profile
from sekisho.policy.model import Config, Mode, Profile
from sekisho.policy.printer import print_profile

YES = "grant_log=yes reject_log=yes"
L, E, P, D = Mode.LEARNING, Mode.ENFORCING, Mode.PERMISSIVE, Mode.DISABLED


@pytest.mark.parametrize(
    ("present", "value", "expected"),
    [
        (None, "{ mode=learning }", (L, True, True)),
        (None, "{ mode=learning grant_log=no }", (L, False, True)),
        (None, "learning", (L, True, True)),
        (None, "mode=permissive}}reject_log=no", (P, True, False)),
        (None, "disabled learning permissive enforcing", (E, True, True)),
        (None, "enforcing learning", (E, True, True)),
        (None, "{ grant_log=no }", None),
        (None, "{ mode=frobnicate }", None),
        (None, "use_default", None),
        ((E, False, False), "{ mode=learning }", (L, False, False)),
        ((E, False, False), "{ grant_log=yes }", (E, True, False)),
        ((E, True, True), "{ grant_log=maybe reject_log=no }", (E, True, False)),
        ((E, True, True), "{ grant_log=no grant_log=yes }", (E, False, True)),
        ((E, True, True), "", (E, True, True)),
        ((E, True, True), "{ mode=use_default }", None),
    ],
)
def test_a_config_takes_what_it_finds(present: object, value: str, expected: object) -> None:
    profile = Profile()
    if present is not None:
        profile.configs["file"] = Config(*present)  # type: ignore[misc]

    assert set_profile(profile, "CONFIG::file", value)
    assert profile.configs.get("file") == (None if expected is None else Config(*expected))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{ mode=enforcing }", (E, True, True)),
        ("use_default", (D, True, True)),
        ("{ reject_log=no }", (D, True, False)),
    ],
)
def test_config_itself_has_no_default(value: str, expected: tuple[Mode, bool, bool]) -> None:
    profile = Profile()
    set_profile(profile, "CONFIG", value)

    assert Config(*expected) == profile.configs[""]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{ max_audit_log=1 max_learning_entry=2 }", (1, 2, 0)),
        ("max_learning_entry=7", (1024, 7, 0)),
        ("{ enforcing_penalty=30 }", (1024, 2048, 30)),
        ("max_audit_log=99999999999", (1024, 2048, 0)),
        ("max_audit_log=9999999999", (2**32 - 1, 2048, 0)),
        ("max_audit_log=x", (1024, 2048, 0)),
        ("", (1024, 2048, 0)),
    ],
)
def test_preferences(value: str, expected: tuple[int, int, int]) -> None:
    profile = Profile()
    set_profile(profile, "PREFERENCE", value)

    assert expected == (profile.max_audit_log, profile.max_learning_entry, profile.enforcing_penalty)


@pytest.mark.parametrize(
    ("line", "shown", "counted"),
    [
        ("7-COMMENT=a = b", "7-COMMENT=a = b", True),
        ("7-COMMENT=", "7-COMMENT=", True),
        ("255-COMMENT=x", "255-COMMENT=x", True),
        ("256-COMMENT=x", None, False),
        ("99999999999999-COMMENT=x", None, False),
        ("7-CONFIG::nothing={ mode=learning }", "7-COMMENT=", False),
        ("7-FROBNICATE=1", "7-COMMENT=", False),
        ("7-CONFIG", None, False),
        ("7-CONFIG::misc::env={ enforcing }", f"7-CONFIG::misc::env={{ mode=enforcing {YES} }}", True),
        ("7-CONFIG::ipc={ learning }", f"7-CONFIG::ipc={{ mode=learning {YES} }}", True),
        ("delete 7-COMMENT=x", None, False),
        ("PROFILE_VERSION=20110903", "PROFILE_VERSION=20150505", True),
        ("PROFILE_VERSION=20090903", "PROFILE_VERSION=20150505", False),
        ("COMMENT=x", None, False),
    ],
)  # fmt: skip
def test_lines(line: str, shown: str | None, counted: bool) -> None:
    stage = Stage()
    before = read(stage.open("profile"))
    write(stage.open("profile"), f"{line}\n")
    after = read(stage.open("profile")).splitlines()

    assert after == before.splitlines() if shown is None else shown in after
    assert counted == bool(stage.changes)


def test_another_namespace_has_profiles_of_its_own() -> None:
    stage = Stage()
    write(stage.open("profile"), "<x> 3-CONFIG={ mode=learning }\n")

    assert stage.policy.namespaces["<x>"].profiles[3].configs[""].mode is L
    assert stage.policy.namespaces["<kernel>"].profiles[3].configs[""].mode is E
    assert "<x> 3-CONFIG={ mode=learning grant_log=yes reject_log=yes }\n" in read(stage.open("profile"))
    assert "<kernel> PROFILE_VERSION=20150505\n" in read(stage.open("profile"))


def test_reading_gives_it_as_it_was_at_the_beginning() -> None:
    stage = Stage()
    handle = stage.open("profile")
    whole = print_profile(stage.policy)
    first = handle.read(MANAGER, 10).decode()
    write(handle, "3-COMMENT=new\n")

    assert whole == first + read(handle)
