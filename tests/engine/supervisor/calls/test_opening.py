from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.plan import PROCEED

AT = -100
R, W, RW, APPEND, TRUNC = os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_APPEND, os.O_TRUNC
CREATE, EXCLUSIVE, NOFOLLOW = os.O_CREAT, os.O_EXCL, os.O_NOFOLLOW


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("text")
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("new")
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "flags", "lines"),
    [
        ("file", R, ["read file"]),
        ("link", R, ["read file"]),
        ("file", W, ["write file"]),
        ("file", W | APPEND, ["append file"]),
        ("file", RW, ["read file", "write file"]),
        ("file", RW | APPEND, ["read file", "append file"]),
        ("file", os.O_ACCMODE, ["read file", "write file"]),
        ("file", os.O_ACCMODE | APPEND, ["read file", "append file"]),
        ("file", W | TRUNC, ["write file", "truncate file"]),
        ("file", R | TRUNC, ["read file", "truncate file"]),
        ("file", W | CREATE, ["write file"]),
        ("link", W | CREATE | TRUNC, ["write file", "truncate file"]),
        ("directory", R, ["read directory/"]),
        ("new", W | CREATE, ["create new 0640", "write new"]),
        ("new", RW | CREATE | EXCLUSIVE | TRUNC, ["create new 0640", "read new", "write new"]),
        ("new", W | CREATE | APPEND, ["create new 0640", "append new"]),
        ("dangling", W | CREATE, ["create new 0640", "write new"]),
    ],
)
def test_what_an_open_asks_for(enforcing: Stage, place: Path, name: str, flags: int, lines: list[str]) -> None:
    words = [line.split(" ") for line in lines]
    expected = [" ".join(["file", verb, f"{place}/{target}", *rest]) for verb, target, *rest in words]

    assert expected == enforcing.asks("open", place / name, flags, 0o640)
    assert expected == enforcing.asks("openat", AT, place / name, flags, 0o640)
    how = enforcing.pointer(struct.pack("QQQ", flags, 0o640 if flags & CREATE else 0, 0))
    assert expected == enforcing.asks("openat2", AT, place / name, how, 24)


@pytest.mark.parametrize(
    ("name", "flags", "code"),
    [
        ("file", R | os.O_DIRECTORY, errno.ENOTDIR),
        ("link", R | NOFOLLOW, errno.ELOOP),
        ("file", W | CREATE | EXCLUSIVE, errno.EEXIST),
        ("link", W | CREATE | EXCLUSIVE, errno.EEXIST),
        ("dangling", W | CREATE | EXCLUSIVE, errno.EEXIST),
        ("directory", W, errno.EISDIR),
        ("directory", R | CREATE, errno.EISDIR),
        ("new/", W | CREATE, errno.EISDIR),
    ],
)
def test_what_fails_whatever_policy_says(enforcing: Stage, place: Path, name: str, flags: int, code: int) -> None:
    assert -code == enforcing.answer("open", os.fsencode(f"{place}/{name}"), flags, 0o600)


@pytest.mark.parametrize(("name", "flags"), [("absent", R), ("absent/new", W | CREATE), ("dangling", R)])
def test_what_isnt_there(enforcing: Stage, place: Path, name: str, flags: int) -> None:
    with failing(errno.ENOENT):
        enforcing.answer("open", place / name, flags, 0o600)


def test_a_link_to_itself(enforcing: Stage, place: Path) -> None:
    with failing(errno.ELOOP):
        enforcing.answer("open", place / "loop", W | CREATE, 0o600)


def opened(stage: Stage, name: str, *arguments: int | bytes | os.PathLike[str]) -> Fd:
    got = stage.plan(name, *arguments).perform()
    assert isinstance(got, Fd)
    stage.calls[-1].keep(got)
    return got


def test_the_checked_object_is_opened(enforcing: Stage, place: Path) -> None:
    plan = enforcing.plan("open", place / "file", R)
    (place / "file").rename(place / "moved")
    (place / "file").write_text("another")
    got = plan.perform()
    assert isinstance(got, Fd)

    assert b"text" == os.read(got, 100)
    os.close(got)


def test_a_new_file_is_made_by_this_very_call(enforcing: Stage, place: Path) -> None:
    got = opened(enforcing, "open", place / "new", RW | CREATE, 0o666)
    mask = os.umask(0)
    os.umask(mask)

    assert os.path.samestat(os.fstat(got), (place / "new").stat())
    assert 0o666 & ~mask == (place / "new").stat().st_mode & 0o777


def test_a_file_that_somebody_else_made_meanwhile_is_judged_anew(enforcing: Stage, place: Path) -> None:
    enforcing.allow(f"file create {place}/new 0600", f"file write {place}/new")
    allowed = enforcing.plan("open", place / "new", W | CREATE, 0o600)
    (place / "new").symlink_to("file")
    assert -errno.EPERM == allowed.perform()

    enforcing.allow(f"file write {place}/file")
    fd = allowed.perform()
    assert isinstance(fd, Fd)
    os.close(fd)


def test_creat(enforcing: Stage, place: Path) -> None:
    got = opened(enforcing, "creat", place / "new", 0o600)

    assert os.path.samestat(os.fstat(got), (place / "new").stat())
    assert [f"file write {place}/file", f"file truncate {place}/file"] == enforcing.asks("creat", place / "file", 0o600)


def test_a_file_without_a_name(enforcing: Stage, place: Path) -> None:
    plan = enforcing.plan("open", place / "directory", os.O_TMPFILE | W, 0o600)
    (line,) = enforcing.asks("open", place / "directory", os.O_TMPFILE | W, 0o600)

    assert line.startswith(f"file write {place}/directory/")
    got = plan.perform()
    assert isinstance(got, Fd)
    assert [] == os.listdir(place / "directory")
    os.close(got)


def test_close_on_exec_is_the_caller_choice(enforcing: Stage, place: Path) -> None:
    for flags in (0, os.O_CLOEXEC):
        enforcing.plan("open", place / "file", R | flags)
        assert enforcing.calls[-1].close_on_exec is bool(flags)


def test_a_path_descriptor_is_asked_for_with_flags_in_a_register(enforcing: Stage, place: Path) -> None:
    assert PROCEED is enforcing.answer("open", place / "file", os.O_PATH)
    how = enforcing.pointer(struct.pack("QQQ", os.O_PATH, 0, 0))

    assert -errno.ENOSYS == enforcing.answer("openat2", AT, place / "file", how, 24)


def test_a_structure_of_another_size(enforcing: Stage, place: Path) -> None:
    assert -errno.EINVAL == enforcing.answer("openat2", AT, place / "file", enforcing.pointer(bytes(24)), 23)
    longer = enforcing.pointer(bytes(24) + b"\1")
    assert -errno.E2BIG == enforcing.answer("openat2", AT, place / "file", longer, 25)
    zeros = enforcing.pointer(bytes(40))
    assert [f"file read {place}/file"] == enforcing.asks("openat2", AT, place / "file", zeros, 40)


@pytest.mark.parametrize(("resolve", "code"), [(0x04, errno.ELOOP), (0x08, errno.EXDEV)])
def test_restrictions_of_openat2_hold(enforcing: Stage, place: Path, resolve: int, code: int) -> None:
    fd = os.open(place, os.O_PATH)
    how = enforcing.pointer(struct.pack("QQQ", 0, 0, resolve))

    with failing(code):
        enforcing.answer("openat2", fd, b"link" if resolve == 0x04 else b"../x", how, 24)
    os.close(fd)


def test_self_in_proc_is_the_caller(enforcing: Stage) -> None:
    assert ["file read proc:/self/status"] == enforcing.asks("open", b"/proc/self/status", R)
    assert [f"file read proc:/self/task/{os.getpid()}/comm"] != enforcing.asks("open", b"/proc/1/comm", R)
