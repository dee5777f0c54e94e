from __future__ import annotations

import errno
import os
import socket
import struct

import pytest
from tests.engine.supervisor.calls.test_receiving import bound
from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.sieve import apart
from sekisho.engine.supervisor.system import sockfilter
from sekisho.engine.supervisor.system.sockfilter import ATTACH, ATTACH_BPF, DETACH, LOCK, PROGRAM

FRIEND = "network inet dgram recv 127.0.0.2 0-65535"
ALL, FEW, NOTHING = (struct.pack("HBBI", 6, 0, 0, kept) for kept in (0xFFFFFFFF, 8 + 2, 0))
FIRST_BYTE_OF_FRIENDS = (
    # Keeps what begins with an A, beyond the header; nothing of the rest. It relies on registers that are 0.
    struct.pack("HBBI", 0x50, 0, 0, 8)
    + struct.pack("HBBI", 0x15, 0, 1, ord("A"))
    + struct.pack("HBBI", 6, 0, 0, 0xFFFFFFFF)
    + NOTHING
)


@pytest.fixture
def near(sockets: Sockets) -> socket.socket:
    made = bound(sockets)
    made.setblocking(False)
    return made


def attach(stage: Stage, sock: socket.socket, code: bytes, size: int = PROGRAM.size) -> object:
    program = PROGRAM.pack(len(code) // 8, stage.pointer(code))
    return stage.handle("setsockopt", sock.fileno(), 1, ATTACH, stage.pointer(program), size)


def option(stage: Stage, sock: socket.socket, name: int, value: int = 0, size: int = 4) -> object:
    return stage.handle("setsockopt", sock.fileno(), 1, name, stage.pointer(struct.pack("i", value)), size)


def heard(near: socket.socket, host: str, data: bytes = b"AB") -> bytes | None:
    with socket.socket(type=socket.SOCK_DGRAM) as far:
        far.bind((host, 0))
        far.sendto(data, near.getsockname())
    try:
        return os.read(near.fileno(), 100)
    except BlockingIOError:
        return None


def test_what_the_program_adds_stands_behind_ours(enforcing: Stage, near: socket.socket) -> None:
    enforcing.allow(FRIEND)

    assert 0 == attach(enforcing, near, FIRST_BYTE_OF_FRIENDS)
    assert [b"", b"AB", None] == [
        heard(near, "127.0.0.1"), heard(near, "127.0.0.2"), heard(near, "127.0.0.2", b"B"),
    ]  # fmt: skip
    assert 0 == attach(enforcing, near, ALL)
    assert [b"", b"B"] == [heard(near, "127.0.0.1"), heard(near, "127.0.0.2", b"B")]
    assert 0 == attach(enforcing, near, FEW)
    assert [b"", b"AB"] == [heard(near, "127.0.0.1"), heard(near, "127.0.0.2", b"ABC")]
    assert 0 == option(enforcing, near, DETACH)
    assert [b"", b"ABC"] == [heard(near, "127.0.0.1"), heard(near, "127.0.0.2", b"ABC")]
    assert -errno.ENOENT == option(enforcing, near, DETACH)


def test_what_stood_there_before_is_kept(enforcing: Stage, near: socket.socket) -> None:
    sockfilter.attach(near.fileno(), FIRST_BYTE_OF_FRIENDS)

    assert 0 == option(enforcing, near, LOCK, 0)

    assert FIRST_BYTE_OF_FRIENDS == apart(sockfilter.attached(near.fileno())).own


def test_locked(enforcing: Stage, near: socket.socket) -> None:
    """The program can't take its own away any more; policy goes on changing ours."""
    assert 0 == attach(enforcing, near, FIRST_BYTE_OF_FRIENDS)
    assert 0 == option(enforcing, near, LOCK, 0)
    assert 0 == option(enforcing, near, LOCK, 1)
    assert 0 == option(enforcing, near, LOCK, 1)

    assert -errno.EPERM == attach(enforcing, near, ALL)
    assert -errno.EPERM == option(enforcing, near, DETACH)
    assert -errno.EPERM == option(enforcing, near, LOCK, 0)
    assert b"" == heard(near, "127.0.0.2")
    enforcing.allow(FRIEND)
    enforcing.supervisor.policy_changed()
    assert [b"AB", None] == [heard(near, "127.0.0.2"), heard(near, "127.0.0.2", b"B")]


def test_what_bpf_has_loaded(enforcing: Stage, sockets: Sockets, near: socket.socket) -> None:
    assert -errno.EPERM == option(enforcing, near, ATTACH_BPF, 1)
    assert -errno.EINVAL == option(enforcing, near, ATTACH_BPF, 1, 8)
    assert -errno.EINVAL == option(enforcing, sockets(socket.AF_UNIX, socket.SOCK_DGRAM), ATTACH_BPF, near.fileno())
    assert -errno.EBADF == option(enforcing, sockets(socket.AF_UNIX, socket.SOCK_DGRAM), ATTACH_BPF, -1)


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET])
def test_sockets_that_are_not_ours(enforcing: Stage, sockets: Sockets, family: int) -> None:
    """As the kernel does it, on the socket that was looked at."""
    sock = sockets(family, socket.SOCK_STREAM)

    assert 0 == attach(enforcing, sock, FEW)
    assert FEW == sockfilter.attached(sock.fileno())
    assert 0 == option(enforcing, sock, DETACH)
    assert -errno.ENOENT == option(enforcing, sock, DETACH)
    assert 0 == option(enforcing, sock, LOCK, 1)
    assert -errno.EPERM == attach(enforcing, sock, FEW)


def test_where_everybody_is_heard(learning: Stage, near: socket.socket) -> None:
    assert "proceed" == attach(learning, near, ALL)


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET])
def test_errors(enforcing: Stage, sockets: Sockets, family: int) -> None:
    sock = sockets(family, socket.SOCK_DGRAM)
    with open("/dev/null", "rb") as file:
        assert -errno.ENOTSOCK == enforcing.handle("setsockopt", file.fileno(), 1, DETACH, 8, 4)

    assert -errno.EINVAL == option(enforcing, sock, DETACH, size=3)
    assert -errno.EINVAL == option(enforcing, sock, DETACH, size=-1)
    assert -errno.EINVAL == attach(enforcing, sock, ALL, size=17)
    assert -errno.EINVAL == attach(enforcing, sock, b"")
    assert -errno.EINVAL == attach(enforcing, sock, ALL * 4097)
    assert -errno.EINVAL == attach(enforcing, sock, ALL[:-8] + bytes(8))
    assert -errno.EFAULT == enforcing.handle("setsockopt", sock.fileno(), 1, DETACH, 8, 4)
    assert -errno.EFAULT == enforcing.handle("setsockopt", sock.fileno(), 1, ATTACH, 8, 16)
    assert -errno.EBADF == enforcing.handle("setsockopt", 9999, 1, DETACH, 8, 4)


def test_a_filter_too_long_for_both(enforcing: Stage, near: socket.socket) -> None:
    assert attach(enforcing, near, struct.pack("HBBI", 0, 0, 0, 0) * 4095 + ALL) in (-errno.EINVAL, -errno.ENOMEM)
    assert b"" == heard(near, "127.0.0.1")
