from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.objects.test_address import UNIX, inet4
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls.sending import MSG_FASTOPEN
from sekisho.engine.supervisor.plan import PROCEED

STREAM, DGRAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET


def test_sending_with_an_address(enforcing: Stage, sockets: Sockets) -> None:
    receiver, sender = sockets(socket.AF_INET, DGRAM), sockets(socket.AF_INET, DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(10)
    port = receiver.getsockname()[1]
    raw = inet4("127.0.0.1", port)
    arguments = (sender.fileno(), enforcing.pointer(b"hello"), 5, 0, enforcing.pointer(raw), len(raw))

    assert [f"network inet dgram send 127.0.0.1 {port}"] == enforcing.asks("sendto", *arguments)
    assert 5 == enforcing.plan("sendto", *arguments).perform()
    assert b"hello" == receiver.recv(100)


def header(stage: Stage, data: bytes, address: bytes = b"", control: bytes = b"") -> bytes:
    """A ``struct msghdr`` in the caller's memory."""
    vector = stage.pointer(struct.pack("QQ", stage.pointer(data), len(data)))
    name, extra = stage.pointer(address) if address else 0, stage.pointer(control) if control else 0
    return struct.pack("QIxxxxQQQQixxxx", name, len(address), vector, 1, extra, len(control), 0)


def test_sendmsg_hands_descriptors_on(enforcing: Stage, sockets: Sockets, tmp_path: Path) -> None:
    receiver, sender = sockets(socket.AF_UNIX, DGRAM), sockets(socket.AF_UNIX, DGRAM)
    receiver.bind(str(tmp_path / "socket"))
    receiver.settimeout(10)
    here, there = os.pipe()
    control = struct.pack("Qiii", 20, socket.SOL_SOCKET, socket.SCM_RIGHTS, there) + bytes(4)
    head = header(enforcing, b"data", UNIX + bytes(tmp_path / "socket") + b"\0", control)
    arguments = (sender.fileno(), enforcing.pointer(head), 0)

    assert [f"network unix dgram send {tmp_path}/socket"] == enforcing.asks("sendmsg", *arguments)
    assert 4 == enforcing.plan("sendmsg", *arguments).perform()
    data, fds, _, _ = socket.recv_fds(receiver, 100, 4)
    os.write(fds[0], b"through")
    assert (b"data", b"through") == (data, os.read(here, 100))
    for fd in (here, there, *fds):
        os.close(fd)


def test_sendmmsg_counts_what_went(enforcing: Stage, sockets: Sockets) -> None:
    receiver, sender = sockets(socket.AF_INET, DGRAM), sockets(socket.AF_INET, DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(10)
    port = receiver.getsockname()[1]
    raw = inet4("127.0.0.1", port)
    heads = b"".join(header(enforcing, data, raw) + bytes(8) for data in (b"one", b"three"))
    address, buffer = enforcing.room(len(heads))
    buffer.raw = heads
    arguments = (sender.fileno(), address, 2, 0)

    assert [f"network inet dgram send 127.0.0.1 {port}"] * 2 == enforcing.asks("sendmmsg", *arguments)
    assert 2 == enforcing.plan("sendmmsg", *arguments).perform()
    assert [b"one", b"three"] == [receiver.recv(100), receiver.recv(100)]
    assert (3, 5) == (buffer.raw[56], buffer.raw[64 + 56])


def test_a_connected_stream_asks_nothing(enforcing: Stage) -> None:
    here, there = socket.socketpair()
    arguments = (here.fileno(), enforcing.pointer(header(enforcing, b"data")), 0)

    assert PROCEED is enforcing.answer("sendmsg", *arguments)
    enforcing.process.shares_files = True
    assert 4 == enforcing.plan("sendmsg", *arguments).perform()
    assert b"data" == there.recv(10)
    for end in (here, there):
        end.close()


def test_a_stream_that_connects_as_it_sends(enforcing: Stage, sockets: Sockets) -> None:
    raw = inet4("127.0.0.1", 9)
    arguments = (sockets(socket.AF_INET, STREAM).fileno(), enforcing.pointer(b"x"), 1, MSG_FASTOPEN)

    line = "network inet stream connect 127.0.0.1 9"
    assert [line] == enforcing.asks("sendto", *arguments, enforcing.pointer(raw), len(raw))


def test_nothing_of_ours_is_sent_without_a_copy(enforcing: Stage, sockets: Sockets) -> None:
    sender = sockets(socket.AF_INET, DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, 60, 1)
    raw = inet4("127.0.0.1", 9)
    arguments = (sender.fileno(), enforcing.pointer(b"x"), 1, 0x4000000, enforcing.pointer(raw), len(raw))

    assert -errno.ENOBUFS == enforcing.plan("sendto", *arguments).perform()
