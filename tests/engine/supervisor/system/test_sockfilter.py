from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator

import pytest

from sekisho.engine.supervisor.system import sockfilter

ALL, NOTHING = (struct.pack("HBBI", 6, 0, 0, kept) for kept in (0xFFFFFFFF, 0))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with first, second:
        second.setblocking(False)
        yield first, second


def test_attached_and_detached(pair: tuple[socket.socket, socket.socket]) -> None:
    far, near = pair
    assert b"" == sockfilter.attached(near.fileno())

    sockfilter.attach(near.fileno(), NOTHING)
    assert NOTHING == sockfilter.attached(near.fileno())
    far.send(b"unheard")
    sockfilter.attach(near.fileno(), ALL)
    far.send(b"heard")
    assert b"heard" == near.recv(9)
    sockfilter.detach(near.fileno())
    assert b"" == sockfilter.attached(near.fileno())
    with pytest.raises(FileNotFoundError):
        sockfilter.detach(near.fileno())


def test_locked(pair: tuple[socket.socket, socket.socket]) -> None:
    fd = pair[0].fileno()
    assert not sockfilter.is_locked(fd)

    sockfilter.lock(fd, 1)

    assert sockfilter.is_locked(fd)
    with pytest.raises(PermissionError):
        sockfilter.attach(fd, ALL)


def test_no_filter_at_all(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(OSError, match=str(errno.EINVAL)):
        sockfilter.attach(pair[0].fileno(), struct.pack("HBBI", 0, 0, 0, 0))
    with pytest.raises(OSError, match=str(errno.EBADF)):
        sockfilter.attach_loaded(pair[0].fileno(), -1)
