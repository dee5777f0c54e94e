from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from sekisho.engine.supervisor.objects import filesystems
from sekisho.engine.supervisor.objects.filesystems import PROC_SUPER_MAGIC, FileSystems, _unescape

DEVPTS = 0x1CD1


def look(path: str | Path, systems: FileSystems) -> tuple[int, int]:
    """(type, device) of what stands at ``path``."""
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    device = os.fstat(fd).st_dev
    kind = systems.type(fd, device)
    os.close(fd)
    return kind, device


def test_types_are_what_the_kernel_calls_them(tmp_path: Path) -> None:
    systems = FileSystems()

    assert look("/proc", systems)[0] == look("/proc/self/status", systems)[0] == PROC_SUPER_MAGIC
    assert look(tmp_path, systems)[0] not in (0, PROC_SUPER_MAGIC)


def test_a_type_is_asked_for_once_and_again_after_forgetting() -> None:
    systems = FileSystems()
    kind, device = look("/proc", systems)

    assert kind == systems.type(-1, device)
    systems.forget()
    assert 0 == systems.type(-1, device)


def test_names_in_proc_begin_with_its_name() -> None:
    systems = FileSystems()
    kind, device = look("/proc", systems)

    assert b"proc:/1/status" == systems.prefixed(kind, b"/proc/1/status", device)
    assert b"proc:/" == systems.prefixed(kind, b"/proc", device)


def test_names_of_other_file_systems_are_absolute(tmp_path: Path) -> None:
    systems = FileSystems()
    kind, device = look(tmp_path, systems)

    assert systems.prefixed(kind, bytes(tmp_path / "x"), device) is None


def with_mounts(*rows: tuple[bytes, bytes, int]) -> FileSystems:
    """File systems mounted as told: (point, root, device)."""
    systems = FileSystems()
    systems._points = sorted(rows, key=lambda row: -len(row[0]))
    return systems


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/dev/pts/3", b"devpts:/3"),
        (b"/dev/pts", b"devpts:/"),
        (b"/c/dev/pts/3", b"devpts:/3"),
        (b"/terminal", b"devpts:/7"),
        (b"/dev/ptsx/3", b"devpts:/dev/ptsx/3"),
    ],
)
def test_the_mount_point_goes_and_the_root_of_a_bind_mount_comes(path: bytes, name: bytes) -> None:
    systems = with_mounts(
        (b"/", b"/", 1), (b"/dev/pts", b"/", 5), (b"/c/dev/pts", b"/", 5), (b"/terminal", b"/7", 5), (b"/dev", b"/", 2)
    )

    assert name == systems.prefixed(DEVPTS, path, 5)


def test_a_file_system_mounted_on_the_root() -> None:
    assert b"proc:/1/comm" == with_mounts((b"/", b"/", 9)).prefixed(PROC_SUPER_MAGIC, b"/1/comm", 9)


def test_a_mount_of_another_device_doesnt_count() -> None:
    systems = with_mounts((b"/proc", b"/", 4), (b"/proc/inner", b"/", 9))

    assert b"proc:/inner/1" == systems.prefixed(PROC_SUPER_MAGIC, b"/proc/inner/1", 4)
    assert b"proc:/1" == systems.prefixed(PROC_SUPER_MAGIC, b"/proc/inner/1", 9)


def test_mount_points_with_odd_names_are_read_back() -> None:
    assert b"/a b\tc\nd\\e" == _unescape(rb"/a\040b\011c\012d\134e")


@pytest.mark.parametrize("name", [rb"/a\134040b"])
def test_an_escaped_backslash_stays_one(name: bytes) -> None:
    assert rb"/a\040b" == _unescape(name)


def test_every_mount_is_known() -> None:
    with open("/proc/self/mountinfo", "rb") as lines:
        count = len(lines.read().splitlines())

    assert count == len(FileSystems()._mounts())


def test_who_is_not_told_of_mounts_remembers_nothing() -> None:
    systems = FileSystems()
    systems.watched = False
    _, device = look("/proc", systems)

    assert 0 == systems.type(-1, device)


def test_what_is_mounted_elsewhere_is_asked_for_again() -> None:
    systems = with_mounts((b"/", b"/", 9))
    _, device = look("/proc", systems)

    assert 0 == systems.type(-1, device)


def test_names_in_a_view_that_is_not_ours_are_found_in_the_callers() -> None:
    systems = with_mounts((b"/", b"/", 9))
    kind, device = look("/proc", systems)

    assert b"proc:/1/status" == systems.prefixed(kind, b"/proc/1/status", device, os.getpid())


def test_what_is_served_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        b"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        b"30 22 0:40 / /host rw - 9p host rw,version=9p2000.L\n"
        b"31 22 0:41 / /mnt/a\\040b rw master:1 shared:2 - fuse.sshfs x rw\n"
    )
    monkeypatch.setattr("builtins.open", lambda *_: io.BytesIO(lines))

    assert filesystems.served() == {os.makedev(0, 40), os.makedev(0, 41)}


def test_what_is_served_is_not_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systems, device = FileSystems(), os.stat(tmp_path).st_dev
    fd = os.open(tmp_path, os.O_PATH)
    try:
        assert systems.is_local(fd, device)
        assert not systems.is_local(fd, 0x123456)
        monkeypatch.setattr(filesystems, "served", lambda: frozenset({device}))
        assert systems.is_local(fd, device)
        systems.forget()
        assert not systems.is_local(fd, device)
    finally:
        os.close(fd)
