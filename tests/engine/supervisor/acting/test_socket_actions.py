from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing

from sekisho.engine.supervisor.acting import here, socket_actions
from sekisho.engine.supervisor.acting.here import HERE, Fd

NONE = Fd(-1)


@pytest.fixture(autouse=True)
def entered() -> Iterator[None]:
    here.enter_process()
    yield
    os.close(HERE.descriptors)
    HERE.descriptors = -1


def unix(path: Path | bytes) -> bytes:
    return struct.pack("H", socket.AF_UNIX) + os.fsencode(path) + b"\0"


def test_listening_and_an_abstract_name() -> None:
    name = struct.pack("H", socket.AF_UNIX) + b"\0test-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as sock:
        assert 0 == socket_actions.bind(Fd(listening.fileno()), name)
        assert 0 == socket_actions.listen(Fd(listening.fileno()), 1)
        assert 0 == socket_actions.connect(Fd(sock.fileno()), name, NONE)


@pytest.mark.parametrize("connected", [True, False])
def test_sending(connected: bool, tmp_path: Path) -> None:
    receiver, sender = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    receiver.bind(str(tmp_path / "socket"))
    receiver.settimeout(5)
    reading, writing = os.pipe()
    if connected:
        sender.connect(str(tmp_path / "socket"))
        assert 4 == socket_actions.send(Fd(sender.fileno()), b"data", [], [Fd(writing)], 0, b"", NONE)
    else:
        target = Fd(os.open(tmp_path / "socket", os.O_PATH))
        address = unix(b"/wherever/it/was")
        assert 4 == socket_actions.send(Fd(sender.fileno()), b"data", [], [Fd(writing)], 0, address, target)
        os.close(target)
    data, fds, _, _ = socket.recv_fds(receiver, 10, 2)
    os.write(fds[0], b"x")

    assert (b"data", b"x") == (data, os.read(reading, 10))
    for fd in (reading, writing, *fds):
        os.close(fd)
    for each in (receiver, sender):
        each.close()


def test_a_broken_pipe_is_an_error_and_no_signal() -> None:
    near, far = socket.socketpair()
    far.close()
    with failing(errno.EPIPE):
        socket_actions.send(Fd(near.fileno()), b"x", [], [], 0, b"", NONE)
    near.close()


@pytest.mark.parametrize("there", [True, False])
def test_binding_a_path_makes_it_in_the_directory_that_was_checked(tmp_path: Path, there: bool) -> None:
    """By the caller's own address where that still leads there."""
    (tmp_path / "good").mkdir()
    (tmp_path / "evil").mkdir()
    start, parent = (Fd(os.open(path, os.O_PATH)) for path in (tmp_path, tmp_path / "good"))
    with socket.socket(socket.AF_UNIX) as sock:
        raw = unix(b"good/socket" if there else b"evil/socket")
        assert 0 == socket_actions.bind_path(Fd(sock.fileno()), raw, start, parent, b"socket", 0o77)

        assert (tmp_path / "good/socket").is_socket()
        assert [] == os.listdir(tmp_path / "evil")
        assert 0 == (tmp_path / "good/socket").stat().st_mode & 0o77
        assert ("good/socket" if there else "socket") == sock.getsockname()
    os.close(start)
    os.close(parent)


def test_connecting_at_once_leaves_the_socket_as_it_was(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as sock:
        listening.bind(str(tmp_path / "socket"))
        listening.listen(1)
        target = Fd(os.open(tmp_path / "socket", os.O_PATH))

        assert 0 == socket_actions.connect_at_once(Fd(sock.fileno()), unix(b"/anywhere"), target)
        assert os.get_blocking(sock.fileno())
        os.close(target)


def test_accepting_never_waits() -> None:
    with socket.socket() as listening, socket.socket() as sock, socket.socket() as other:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        with failing(errno.EAGAIN):
            socket_actions.accept_at_once(Fd(listening.fileno()))
        sock.connect(listening.getsockname())
        made, peer = socket_actions.accept_at_once(Fd(listening.fileno()))

        assert (16, sock.getsockname()[1]) == (len(peer), int.from_bytes(peer[2:4], "big"))
        assert not os.get_inheritable(made) and os.get_blocking(made) and listening.getblocking()
        with failing(errno.EINVAL):
            socket_actions.accept_at_once(Fd(other.fileno()))
        assert 0 == socket_actions.reject(made)
        os.close(made)
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
