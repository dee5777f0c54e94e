from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls.attributes import STAT_SIZE
from sekisho.engine.supervisor.plan import PROCEED
from sekisho.engine.supervisor.system import libc

NOFOLLOW, EMPTY = 0x100, 0x1000
AT = -100


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    return tmp_path


def kernel_stat(path: Path, *, follow: bool = True) -> bytes:
    """``struct stat`` as the kernel fills it in."""
    fd = os.open(path, os.O_PATH | (0 if follow else os.O_NOFOLLOW))
    raw = libc.fstat_raw(fd, STAT_SIZE)
    os.close(fd)
    return raw


@pytest.mark.parametrize(("name", "follow"), [("stat", True), ("lstat", False)])
def test_the_caller_gets_what_the_kernel_would_have_written(
    enforcing: Stage, place: Path, name: str, follow: bool
) -> None:
    address, buffer = enforcing.room()
    plan = enforcing.plan(name, place / "link", address)
    target = "file" if follow else "link"

    assert [f"file getattr {place}/{target}"] == enforcing.asks(name, place / "link", address)
    assert 0 == plan.perform()
    assert kernel_stat(place / "link", follow=follow) == buffer.raw[:STAT_SIZE]
    assert bytes(256 - STAT_SIZE) == buffer.raw[STAT_SIZE:]


@pytest.mark.parametrize(("flags", "target"), [(0, "file"), (NOFOLLOW, "link")])
def test_newfstatat(enforcing: Stage, place: Path, flags: int, target: str) -> None:
    address, buffer = enforcing.room()

    assert [f"file getattr {place}/{target}"] == enforcing.asks("newfstatat", AT, place / "link", address, flags)
    assert 0 == enforcing.plan("newfstatat", AT, place / "link", address, flags).perform()
    assert kernel_stat(place / "link", follow=not flags) == buffer.raw[:STAT_SIZE]


def test_stat_of_a_descriptor(enforcing: Stage, place: Path) -> None:
    fd = os.open(place / "file", os.O_RDONLY)
    address, buffer = enforcing.room()

    assert [f"file getattr {place}/file"] == enforcing.asks("fstat", fd, address)
    assert PROCEED is enforcing.plan("fstat", fd, address).perform()
    for path in (b"", 0):
        assert [f"file getattr {place}/file"] == enforcing.asks("newfstatat", fd, path, address, EMPTY)
    enforcing.process.shares_files = True
    assert 0 == enforcing.plan("fstat", fd, address).perform()
    assert kernel_stat(place / "file") == buffer.raw[:STAT_SIZE]
    os.close(fd)


def test_statx(enforcing: Stage, place: Path) -> None:
    address, buffer = enforcing.room()

    assert [f"file getattr {place}/file"] == enforcing.asks("statx", AT, place / "link", 0, 0x7FF, address)
    assert 0 == enforcing.plan("statx", AT, place / "link", 0, 0x7FF, address).perform()
    status = (place / "file").stat()
    assert status.st_mode == int.from_bytes(buffer.raw[28:30], "little")
    assert status.st_ino == int.from_bytes(buffer.raw[32:40], "little")
    assert status.st_size == int.from_bytes(buffer.raw[40:48], "little")


def test_bad_flags(enforcing: Stage, place: Path) -> None:
    assert -errno.EINVAL == enforcing.answer("newfstatat", AT, place / "file", 0, 1)
    assert -errno.EINVAL == enforcing.answer("statx", AT, place / "file", 1, 0, 0)
    assert -errno.EINVAL == enforcing.answer("fchmodat2", AT, place / "file", 0, 1)
    assert -errno.EINVAL == enforcing.answer("fchownat", AT, place / "file", 0, 0, 1)
    assert -errno.EINVAL == enforcing.answer("truncate", place / "file", -1)


def test_a_buffer_that_isnt_there(enforcing: Stage, place: Path) -> None:
    with failing(errno.EFAULT):
        enforcing.plan("stat", place / "file", 16).perform()


def test_what_isnt_there(enforcing: Stage, place: Path) -> None:
    for name in ("stat", "chmod", "truncate"):
        with failing(errno.ENOENT):
            enforcing.answer(name, place / "absent", 0)
    with failing(errno.EBADF):
        enforcing.answer("fstat", 999, 0)
    with failing(errno.EFAULT):
        enforcing.answer("stat", 16, 0)


def test_chmod(enforcing: Stage, place: Path) -> None:
    assert [f"file chmod {place}/file 04755"] == enforcing.asks("chmod", place / "link", 0o104755)
    assert [f"file chmod {place}/file 0700"] == enforcing.asks("fchmodat", AT, place / "file", 0o700)

    assert 0 == enforcing.plan("chmod", place / "file", 0o640).perform()
    assert 0o640 == stat.S_IMODE((place / "file").stat().st_mode)
    fd = os.open(place / "file", os.O_RDONLY)
    assert 0 == enforcing.plan("fchmod", fd, 0o600).perform()
    assert 0o600 == stat.S_IMODE((place / "file").stat().st_mode)
    os.close(fd)
    assert -errno.EOPNOTSUPP == enforcing.answer("fchmodat2", AT, place / "link", 0o600, NOFOLLOW)


def test_chown_asks_for_what_changes(enforcing: Stage, place: Path) -> None:
    uid, gid = os.getuid(), os.getgid()
    owner, group = f"file chown {place}/file {uid}", f"file chgrp {place}/file {gid}"

    assert [owner, group] == enforcing.asks("chown", place / "link", uid, gid)
    assert [owner] == enforcing.asks("chown", place / "file", uid, -1)
    assert [group] == enforcing.asks("fchownat", AT, place / "file", -1, gid, 0)
    assert [] == enforcing.asks("chown", place / "file", -1, -1)
    assert [f"file chown {place}/link {uid}"] == enforcing.asks("lchown", place / "link", uid, -1)
    assert 0 == enforcing.plan("lchown", place / "link", uid, gid).perform()
    fd = os.open(place / "file", os.O_RDONLY)
    assert 0 == enforcing.plan("fchown", fd, -1, gid).perform()
    os.close(fd)


def test_truncate(enforcing: Stage, place: Path) -> None:
    assert [f"file truncate {place}/file"] == enforcing.asks("truncate", place / "link", 2)
    assert 0 == enforcing.plan("truncate", place / "file", 2).perform()
    assert "te" == (place / "file").read_text()

    fd = os.open(place / "file", os.O_RDWR)
    assert [f"file truncate {place}/file"] == enforcing.asks("ftruncate", fd, 1)
    assert 0 == enforcing.plan("ftruncate", fd, 1).perform()
    assert "t" == (place / "file").read_text()
    os.close(fd)
    for path, code in ((place, errno.EISDIR), (Path("/dev/null"), errno.EINVAL)):
        with failing(code):
            enforcing.plan("truncate", path, 0).perform()


def test_files_grow_as_far_as_the_callers_limit(enforcing: Stage, place: Path) -> None:
    heard: list[int] = []
    former = signal.signal(signal.SIGXFSZ, lambda number, _: heard.append(number))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    fd = os.open(place / "file", os.O_RDWR)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        assert 0 == enforcing.plan("ftruncate", fd, 100).perform()
        for arguments in (("ftruncate", fd, 101), ("truncate", place / "file", 101)):
            heard.clear()
            with failing(errno.EFBIG):
                enforcing.plan(*arguments).perform()
            assert signal.SIGXFSZ in heard
        assert 100 == os.fstat(fd).st_size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, former)
        os.close(fd)
