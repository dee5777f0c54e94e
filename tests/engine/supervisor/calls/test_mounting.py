"""What mount calls ask for; doing it needs root, and is tested by the keywords."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls.mounting import _needs_device
from sekisho.engine.supervisor.plan import PROCEED

REMOUNT, BIND, MOVE, READ_ONLY, RECURSIVE = 0x20, 0x1000, 0x2000, 0x1, 0x4000
SHARED, PRIVATE, SLAVE, UNBINDABLE = 1 << 20, 1 << 18, 1 << 19, 1 << 17


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "m").mkdir()
    (tmp_path / "s").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "flags", "line"),
    [
        (b"tmpfs", 0, "{d}/s {d}/m/ tmpfs 0x0"),
        (b"tmpfs", 0xC0ED0000 | READ_ONLY, "{d}/s {d}/m/ tmpfs 0x1"),
        (b"proc", READ_ONLY, "{d}/s {d}/m/ proc 0x1"),
        (b"", BIND, "{d}/s/ {d}/m/ --bind 0x0"),
        (b"", BIND | RECURSIVE, "{d}/s/ {d}/m/ --bind 0x4000"),
        (b"", MOVE, "{d}/s/ {d}/m/ --move 0x0"),
        (b"", REMOUNT | READ_ONLY, "{d}/s {d}/m/ --remount 0x1"),
        (b"", REMOUNT | BIND | READ_ONLY, "{d}/s {d}/m/ --remount 0x1001"),
        (b"", SHARED, "{d}/s {d}/m/ --make-shared 0x0"),
        (b"", PRIVATE | RECURSIVE, "{d}/s {d}/m/ --make-private 0x4000"),
        (b"", SLAVE, "{d}/s {d}/m/ --make-slave 0x0"),
        (b"", UNBINDABLE, "{d}/s {d}/m/ --make-unbindable 0x0"),
    ],
)
def test_mount(enforcing: Stage, place: Path, kind: bytes, flags: int, line: str) -> None:
    asked = enforcing.asks("mount", place / "s", place / "m", kind, flags, 0)

    assert [f"file mount {line.format(d=place)}"] == asked


@pytest.mark.parametrize(
    ("kind", "flags", "code"),
    [(b"nothing", 0, errno.ENODEV), (0, 0, errno.EINVAL), (b"", SHARED | PRIVATE, errno.EINVAL)],
)
def test_what_fails_whatever_policy_says(
    enforcing: Stage, place: Path, kind: bytes | int, flags: int, code: int
) -> None:
    assert -code == enforcing.answer("mount", place / "s", place / "m", kind, flags, 0)


def test_a_mount_without_a_source(enforcing: Stage, place: Path) -> None:
    assert [f"file mount <NULL> {place}/m/ tmpfs 0x0"] == enforcing.asks("mount", 0, place / "m", b"tmpfs", 0, 0)
    assert -errno.EINVAL == enforcing.answer("mount", 0, place / "m", 0, BIND, 0)


def test_a_target_that_isnt_there(enforcing: Stage, place: Path) -> None:
    with failing(errno.ENOENT):
        enforcing.answer("mount", b"none", place / "absent", b"tmpfs", 0, 0)


def test_file_systems_on_devices() -> None:
    assert _needs_device(b"proc") is False
    assert _needs_device(b"no such thing") is None


def test_unmounting(enforcing: Stage, place: Path) -> None:
    (place / "link").symlink_to("m")

    assert [f"file unmount {place}/m/"] == enforcing.asks("umount2", place / "m", 0)
    assert [f"file unmount {place}/m/"] == enforcing.asks("umount2", place / "link", 0)
    assert [f"file unmount {place}/link"] == enforcing.asks("umount2", place / "link", 8)


def test_pivot_root(enforcing: Stage, place: Path) -> None:
    assert [f"file pivot_root {place}/m/ {place}/s/"] == enforcing.asks("pivot_root", place / "m", place / "s")
    (place / "file").touch()
    assert -errno.ENOTDIR == enforcing.answer("pivot_root", place / "file", place / "s")


def test_the_new_interface(enforcing: Stage, place: Path) -> None:
    fd = os.open(place / "m", os.O_PATH)

    bind = f"file mount {place}/m/ {place}/m/ --bind 0x0"
    assert [bind] == enforcing.asks("open_tree", -100, place / "m", 1)
    assert -errno.ENOSYS == enforcing.plan("open_tree", -100, place / "m", 1).perform()
    assert PROCEED is enforcing.answer("open_tree", -100, place / "m", 0)
    move = f"file mount {place}/m/ {place}/s/ --move 0x0"
    assert [move] == enforcing.asks("move_mount", fd, b"", -100, place / "s", 0x4)
    remount = f"file mount none {place}/m/ --remount 0x0"
    assert [remount] == enforcing.asks("fspick", -100, place / "m", 0)
    assert [remount] == enforcing.asks("mount_setattr", -100, place / "m", 0, enforcing.pointer(bytes(32)), 32)
    os.close(fd)
