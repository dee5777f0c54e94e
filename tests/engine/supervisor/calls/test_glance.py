from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls.glance import Missing, glance

AT = -100


def seen(
    stage: Stage, path: Path | bytes, flags: int | None = os.O_RDONLY, *, follow: bool = True, base: int = AT
) -> bytes | None:
    """The canonical path of what is seen at a glance."""
    got = glance(stage.supervisor, stage.domain, os.fsencode(path), base, flags, follow=follow)
    if got is None:
        return None
    os.close(got.fd)
    return got.canonical


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "through").symlink_to("directory")
    (tmp_path / "directory/inner").touch()
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


@pytest.fixture
def open_policy(enforcing: Stage, place: Path) -> Stage:
    """Everything in the directory may be looked at and opened."""
    enforcing.allow(*(f"file {verb} {place}/\\{{\\*\\}}/" for verb in ("read", "getattr")))
    for name in ("file", "link", "through", "fifo", "directory/", "directory/inner"):
        enforcing.allow(f"file read/write/append/getattr {place}/{name}")
    enforcing.allow("file read/getattr proc:/self/status", "file read /dev/null", "file getattr /dev/null")
    return enforcing


@pytest.mark.parametrize("name", ["file", "directory", "directory/inner"])
def test_plain_paths_to_plain_objects(open_policy: Stage, place: Path, name: str) -> None:
    assert bytes(place / name) == seen(open_policy, place / name)
    assert bytes(place / name) == seen(open_policy, place / name, None)


@pytest.mark.parametrize(
    "name",
    ["./file", "directory/../file", "directory//inner", "directory/.", "directory/", "through/inner", "link", "fifo"],
)
def test_less_simple_ones_are_left_to_the_planner(open_policy: Stage, place: Path, name: str) -> None:
    assert seen(open_policy, f"{place}/{name}".encode()) is None


def test_a_link_itself(open_policy: Stage, place: Path) -> None:
    assert bytes(place / "link") == seen(open_policy, place / "link", None, follow=False)
    assert seen(open_policy, place / "link", os.O_RDONLY, follow=False) is None


@pytest.mark.parametrize("path", [b"/proc/self/status", b"/dev/null", b"/dev/tty", b""])
def test_what_isnt_a_plain_object(open_policy: Stage, path: bytes) -> None:
    assert seen(open_policy, path) is None


@pytest.mark.parametrize("flags", [os.O_CREAT | os.O_WRONLY, os.O_TRUNC | os.O_WRONLY, os.O_PATH, os.O_TMPFILE])
def test_opens_that_do_more(open_policy: Stage, place: Path, flags: int) -> None:
    assert seen(open_policy, place / "file", flags) is None


def test_relative_paths_stand_behind_their_directory(open_policy: Stage, place: Path) -> None:
    fd = os.open(place / "directory", os.O_PATH)

    assert bytes(place / "directory/inner") == seen(open_policy, b"inner", base=fd)
    assert seen(open_policy, b"../file", base=fd) is None
    os.close(fd)


def test_a_directory_that_was_deleted(open_policy: Stage, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    fd = os.open(tmp_path / "gone", os.O_PATH)
    (tmp_path / "gone").rmdir()
    with pytest.raises(Missing):
        seen(open_policy, b"inner", base=fd)
    os.close(fd)


def test_what_policy_doesnt_grant_outright(enforcing: Stage, place: Path) -> None:
    assert seen(enforcing, place / "file") is None
    enforcing.allow(f"file read {place}/file task.uid=0-4294967295")
    assert seen(enforcing, place / "file") is None
    enforcing.allow(f"file read {place}/directory/inner")
    assert seen(enforcing, place / "directory/inner", os.O_RDWR) is None
    assert seen(enforcing, place / "directory/inner", os.O_ACCMODE) is None
    assert [] == enforcing.recorded


def test_what_isnt_there(open_policy: Stage, place: Path) -> None:
    with pytest.raises(Missing):
        seen(open_policy, place / "absent")


def test_what_is_guarded(open_policy: Stage, place: Path) -> None:
    open_policy.supervisor.guard.add_directory(str(place))

    assert bytes(place / "file") == seen(open_policy, place / "file", os.O_RDONLY)
    assert seen(open_policy, place / "file", os.O_WRONLY) is None


def test_no_descriptor_is_left(open_policy: Stage, place: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for name in ("file", "link", "fifo", "directory"):
        seen(open_policy, place / name)

    assert before == os.listdir("/proc/self/fd")
