"""Commands done in the caller's place come to what the kernel makes of them."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import flat

FIONBIO, TIOCSPTLCK, TIOCSWINSZ, SIOCGIFNAME = 0x5421, 0x40045431, 0x5414, 0x8910
LOOPBACK = b"lo".ljust(40, b"\0")
GIVEN = {FIONBIO: struct.pack("i", 1), TIOCSPTLCK: bytes(4), TIOCSWINSZ: struct.pack("4H", 7, 8, 0, 0)}
FILES = ("file", "folder", "pipe", "terminal", "master", "unix", "inet", "null")


@pytest.fixture
def shared(enforcing: Stage) -> Stage:
    """A caller whose descriptors others may change."""
    enforcing.process.shares_files = True
    return enforcing


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """A descriptor of each kind, with something to read where that can be."""
    (tmp_path / "file").write_text("some text")
    here, there = os.pipe()
    os.write(there, b"12345")
    master, slave = os.openpty()
    sockets = socket.socket(socket.AF_UNIX), socket.socket()
    made = {
        "file": os.open(tmp_path / "file", os.O_RDONLY),
        "folder": os.open(tmp_path, os.O_RDONLY),
        "pipe": here,
        "terminal": slave,
        "master": master,
        "unix": sockets[0].fileno(),
        "inet": sockets[1].fileno(),
        "null": os.open("/dev/null", os.O_RDWR),
    }
    yield made[request.param]
    for each in sockets:
        each.detach()
    for fd in {there, *made.values()}:
        os.close(fd)


def natively(fd: int, command: int, given: bytes) -> bytes | int:
    """What stands in the argument afterwards, or the errno."""
    try:
        return fcntl.ioctl(fd, command, given.ljust(64, b"\xaa"))
    except OSError as failure:
        return failure.errno or 0


def test_as_by_the_kernel(shared: Stage, file: int) -> None:
    commands = [*flat.COMMANDS, *(flat.ON_SOCKETS if stat.S_ISSOCK(os.fstat(file).st_mode) else ())]
    for command in commands:
        given = GIVEN.get(command, LOOPBACK if command in flat.ON_SOCKETS else b"")
        if command == SIOCGIFNAME:
            given = bytes(16) + struct.pack("i", socket.if_nametoindex("lo")) + bytes(20)
        expected = natively(file, command, given)
        address, room = shared.room(64)
        room.raw = given.ljust(64, b"\xaa")
        plan = shared.plan("ioctl", file, command, address)
        if isinstance(expected, int):
            with failing(expected):
                plan.perform()
        else:
            assert (0, expected) == (plan.perform(), room.raw), hex(command)


def test_descriptors_that_are_not_open_for_use(shared: Stage, tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_PATH)
    with failing(errno.EBADF):
        shared.plan("ioctl", fd, 0x5401, 0).perform()
    os.close(fd)


def test_bad_addresses(shared: Stage) -> None:
    here, there = os.pipe()
    for command in (0x541B, FIONBIO):
        with failing(errno.EFAULT):
            shared.plan("ioctl", here, command, 8).perform()
    for fd in (here, there):
        os.close(fd)


def test_what_only_the_kernel_knows(shared: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Numbers that others give other meanings: on devices, on what somebody serves, on what is no file."""
    begun: list[str] = []
    monkeypatch.setattr(shared.supervisor.holding, "begin", lambda call, found: begun.append(found.name))
    event = os.eventfd(0)
    for command in (0x5401, 0x541B):
        shared.plan("ioctl", event, command, 0).perform()
    assert ["anon_inode:[eventfd]"] * 2 == begun
    os.close(event)
    with (tmp_path / "file").open("wb") as file:
        shared.plan("ioctl", file.fileno(), 0x12345678, 0).perform()
        assert f"{tmp_path}/file" == begun[-1]
        monkeypatch.setattr("sekisho.engine.supervisor.objects.filesystems.FileSystems.is_local", lambda *_: False)
        shared.plan("ioctl", file.fileno(), 0x5401, 0).perform()
    assert f"{tmp_path}/file" == begun[-1]
    assert 4 == len(begun)
