"""What calls that make, remove or move names ask for, and what comes of doing them in the caller's place."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

REMOVEDIR, FOLLOW, EMPTY = 0x200, 0x400, 0x1000
EXCHANGE = 2


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("text")
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/inner").touch()
    (tmp_path / "link").symlink_to("file")
    return tmp_path


@pytest.mark.parametrize("name", ["file", "link"])
def test_unlink(enforcing: Stage, place: Path, name: str) -> None:
    plan = enforcing.plan("unlink", place / name)

    assert [f"file unlink {place}/{name}"] == enforcing.asks("unlink", place / name)
    assert 0 == plan.perform()
    assert not os.path.lexists(place / name)


def test_rmdir(enforcing: Stage, place: Path) -> None:
    assert [f"file rmdir {place}/empty/"] == enforcing.asks("rmdir", place / "empty")
    assert [f"file rmdir {place}/empty/"] == enforcing.asks("unlinkat", -100, place / "empty", REMOVEDIR)

    assert 0 == enforcing.plan("rmdir", bytes(place / "empty") + b"/").perform()
    assert not (place / "empty").exists()
    with failing(errno.ENOTEMPTY):
        enforcing.plan("rmdir", place / "full").perform()


@pytest.mark.parametrize(
    ("name", "arguments", "asked", "code"),
    [
        ("unlink", ["empty"], "file unlink {}/empty/", errno.EISDIR),
        ("rmdir", ["file"], "file rmdir {}/file/", errno.ENOTDIR),
        ("rmdir", ["link"], "file rmdir {}/link/", errno.ENOTDIR),
        ("link", ["empty", "new"], "file link {0}/empty/ {0}/new/", errno.EPERM),
    ],
)
def test_what_is_of_the_wrong_kind_is_asked_for_and_then_refused(
    enforcing: Stage, place: Path, name: str, arguments: list[str], asked: str, code: int
) -> None:
    paths = [place / each for each in arguments]

    assert [asked.format(place)] == enforcing.asks(name, *paths)
    with failing(code):
        enforcing.plan(name, *paths).perform()


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("unlink", ("absent",), errno.ENOENT),
        ("unlink", ("empty/.",), errno.EISDIR),
        ("rmdir", ("empty/.",), errno.EINVAL),
        ("rmdir", ("empty/..",), errno.ENOTEMPTY),
        ("mkdir", ("file", 0o700), errno.EEXIST),
        ("mkdir", ("empty/.", 0o700), errno.EEXIST),
        ("mknod", ("file", stat.S_IFIFO, 0), errno.EEXIST),
        ("mknod", ("new", stat.S_IFDIR, 0), errno.EPERM),
        ("mknod", ("new", stat.S_IFLNK, 0), errno.EINVAL),
        ("symlink", ("", "new"), errno.ENOENT),
        ("symlink", ("target", "file"), errno.EEXIST),
        ("symlink", ("target", "new/"), errno.ENOENT),
        ("link", ("file", "link"), errno.EEXIST),
        ("rename", ("absent", "new"), errno.ENOENT),
        ("rename", ("empty/.", "new"), errno.EBUSY),
        ("renameat2", (-100, "file", -100, "new", EXCHANGE), errno.ENOENT),
        ("chroot", ("file",), errno.ENOTDIR),
    ],
)
def test_what_fails_whatever_policy_says(
    enforcing: Stage, place: Path, name: str, arguments: tuple[int | str, ...], code: int
) -> None:
    relative = not name.endswith("at2") and name != "symlink"
    passed = [
        os.fsencode(f"{place}/{each}" if relative else each) if isinstance(each, str) else each for each in arguments
    ]
    former = Path.cwd()
    os.chdir(place)
    try:
        assert -code == enforcing.answer(name, *passed)
    finally:
        os.chdir(former)


def test_a_bad_flag(enforcing: Stage, place: Path) -> None:
    assert -errno.EINVAL == enforcing.answer("unlinkat", -100, place / "file", 1)
    assert -errno.EINVAL == enforcing.answer("linkat", -100, place / "file", -100, place / "new", 1)


def test_mkdir_under_the_caller_umask(enforcing: Stage, place: Path) -> None:
    plan = enforcing.plan("mkdirat", -100, place / "new", 0o777)

    assert [f"file mkdir {place}/new/ 0777"] == enforcing.asks("mkdir", place / "new", 0o777)
    assert 0 == plan.perform()
    mask = os.umask(0)
    os.umask(mask)
    assert 0o777 & ~mask == (place / "new").stat().st_mode & 0o777


def test_mknod_asks_by_type(enforcing: Stage, place: Path) -> None:
    device = os.makedev(8, 1)

    assert [f"file mkfifo {place}/new 0600"] == enforcing.asks("mknod", place / "new", stat.S_IFIFO | 0o600, 0)
    assert [f"file mksock {place}/new 0600"] == enforcing.asks("mknod", place / "new", stat.S_IFSOCK | 0o600, 0)
    assert [f"file create {place}/new 0600"] == enforcing.asks("mknod", place / "new", stat.S_IFREG | 0o600, 0)
    assert [f"file create {place}/new 0600"] == enforcing.asks("mknod", place / "new", 0o600, 0)
    block = [f"file mkblock {place}/new 0600 8 1"]
    assert block == enforcing.asks("mknodat", -100, place / "new", stat.S_IFBLK | 0o600, device)
    char = [f"file mkchar {place}/new 0600 8 1"]
    assert char == enforcing.asks("mknodat", -100, place / "new", stat.S_IFCHR | 0o600, device)
    assert 0 == enforcing.plan("mknod", place / "new", stat.S_IFIFO | 0o600, 0).perform()
    assert stat.S_ISFIFO((place / "new").stat().st_mode)


def test_large_device_numbers(enforcing: Stage, place: Path) -> None:
    device = os.makedev(0xABC, 0xFEDCB)

    line = f"file mkchar {place}/new 0600 {0xABC} {0xFEDCB}"
    assert [line] == enforcing.asks("mknod", place / "new", stat.S_IFCHR | 0o600, device)


def test_symlink(enforcing: Stage, place: Path) -> None:
    plan = enforcing.plan("symlink", b"anything at all", place / "new")

    assert [f"file symlink {place}/new"] == enforcing.asks("symlinkat", b"x", -100, place / "new")
    assert "anything\\040at\\040all" == plan.requests[0].facts.symlink_target
    assert 0 == plan.perform()
    assert "anything at all" == os.readlink(place / "new")


def test_link_names_the_link_unless_told_to_follow(enforcing: Stage, place: Path) -> None:
    assert [f"file link {place}/link {place}/new"] == enforcing.asks("link", place / "link", place / "new")
    followed = enforcing.asks("linkat", -100, place / "link", -100, place / "new", FOLLOW)
    assert [f"file link {place}/file {place}/new"] == followed

    assert 0 == enforcing.plan("link", place / "file", place / "new").perform()
    assert os.path.samefile(place / "file", place / "new")


def test_linking_a_descriptor(enforcing: Stage, place: Path) -> None:
    fd = os.open(place / "file", os.O_RDONLY)

    line = f"file link {place}/file {place}/new"
    assert [line] == enforcing.asks("linkat", fd, b"", -100, place / "new", EMPTY)
    os.close(fd)


def test_rename(enforcing: Stage, place: Path) -> None:
    assert [f"file rename {place}/file {place}/new"] == enforcing.asks("rename", place / "file", place / "new")
    assert [f"file rename {place}/empty/ {place}/new/"] == enforcing.asks("rename", place / "empty", place / "new")
    assert [f"file rename {place}/file {place}/empty/"] == enforcing.asks("rename", place / "file", place / "empty")
    assert [f"file rename {place}/empty/ {place}/file/"] == enforcing.asks("rename", place / "empty", place / "file")

    assert 0 == enforcing.plan("renameat", -100, place / "file", -100, place / "new").perform()
    assert "text" == (place / "new").read_text()


def test_an_exchange_asks_for_both_ways(enforcing: Stage, place: Path) -> None:
    plan = enforcing.plan("renameat2", -100, place / "file", -100, place / "empty", EXCHANGE)
    lines = enforcing.asks("renameat2", -100, place / "file", -100, place / "empty", EXCHANGE)

    assert lines == [f"file rename {place}/empty/ {place}/file/", f"file rename {place}/file {place}/empty/"]
    assert 0 == plan.perform()
    assert (place / "file").is_dir()
    assert "text" == (place / "empty").read_text()


def test_names_start_at_a_descriptor(enforcing: Stage, place: Path) -> None:
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY)

    assert [f"file unlink {place}/file"] == enforcing.asks("unlinkat", fd, b"file", 0)
    with failing(errno.EBADF):
        enforcing.answer("unlinkat", 999, b"file", 0)
    with failing(errno.ENOTDIR):
        enforcing.answer("unlinkat", fd, b"file/x", 0)
    os.close(fd)


def test_the_object_is_pinned(enforcing: Stage, place: Path) -> None:
    """What was checked is what is linked, whatever stands under the name by then."""
    plan = enforcing.plan("link", place / "file", place / "new")
    (place / "file").rename(place / "moved")
    (place / "file").write_text("other")

    plan.perform()
    assert "text" == (place / "new").read_text()


def test_chroot_is_let_through_and_looked_at_afterwards(enforcing: Stage, place: Path) -> None:
    plan = enforcing.plan("chroot", place / "empty")
    assert [f"file chroot {place}/empty/"] == enforcing.asks("chroot", place / "empty")
    plan.perform()

    assert enforcing.process.expected_roots is not None
    roots = enforcing.process.expected_roots[1]
    status = (place / "empty").stat()
    assert (status.st_dev, status.st_ino) in roots
    assert len(roots) == 2
