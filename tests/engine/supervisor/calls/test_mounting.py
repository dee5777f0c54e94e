"""What mount calls ask for; doing it needs root, and is tested by the keywords."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.acting.mount_actions import mount_flags
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
    assert -errno.ENOSYS == enforcing.plan("fspick", -100, place / "m", 0).perform()
    os.close(fd)


def now(place: Path) -> int:
    """mount(2)'s flags of what ``place`` lies on."""
    return mount_flags(Fd(os.open(place, os.O_PATH)))


@pytest.mark.parametrize(
    ("gained", "lost", "flag_gained", "flag_lost"),
    [(1, 0, 1, 0), (2, 1, 2, 1), (0x8, 0x4, 0x8, 0x4), (0x200000, 0, 0x100, 0), (0x10, 0x70, 0x400, 0x200000)],
)
@pytest.mark.parametrize(("recursive", "more"), [(0, 0), (0x8000, RECURSIVE)])
def test_attributes_are_asked_for_as_a_remount(
    enforcing: Stage, place: Path, gained: int, lost: int, flag_gained: int, flag_lost: int, recursive: int, more: int
) -> None:
    at = enforcing.pointer(struct.pack("QQQQ", gained, lost, 0, 0))
    flags = now(place) & ~flag_lost | flag_gained | BIND | more

    line = f"file mount none {place}/m/ --remount 0x{flags:X}"
    assert [line] == enforcing.asks("mount_setattr", -100, place / "m", recursive, at, 32)


def test_propagation_is_asked_for_as_such(enforcing: Stage, place: Path) -> None:
    at = enforcing.pointer(struct.pack("QQQQ", 0, 0, PRIVATE, 0))

    assert [f"file mount none {place}/m/ --make-private 0x0"] == enforcing.asks(
        "mount_setattr", -100, place / "m", 0, at, 32
    )


@pytest.mark.parametrize(
    ("attributes", "code"),
    [((0x100000, 0, 0, 0), errno.EPERM), ((0, 0, 3, 0), errno.EINVAL), ((), errno.EINVAL)],
)
def test_attributes_that_nothing_says(enforcing: Stage, place: Path, attributes: tuple[int, ...], code: int) -> None:
    raw = struct.pack(f"{len(attributes)}Q", *attributes) or bytes(8)

    assert -code == enforcing.answer("mount_setattr", -100, place / "m", 0, enforcing.pointer(raw), len(raw))
