from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage
from tests.engine.supervisor.test_address import UNIX, inet4, inet6

from sekisho.engine.supervisor.network import MSG_FASTOPEN
from sekisho.engine.supervisor.plan import PROCEED

STREAM, DGRAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET


class Sockets:
    """Sockets by family and type, closed in the end."""

    def __init__(self) -> None:
        self.made: list[socket.socket] = []

    def __call__(self, family: int, kind: int) -> socket.socket:
        self.made.append(socket.socket(family, kind))
        return self.made[-1]


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    made = Sockets()
    yield made
    for each in made.made:
        each.close()


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        (STREAM, "bind", "network inet stream bind 127.0.0.1 8080"),
        (STREAM, "connect", "network inet stream connect 127.0.0.1 8080"),
        (DGRAM, "bind", "network inet dgram bind 127.0.0.1 8080"),
        (DGRAM, "connect", "network inet dgram send 127.0.0.1 8080"),
    ],
)
def test_internet_addresses(enforcing: Stage, sockets: Sockets, kind: int, name: str, line: str) -> None:
    raw = inet4("127.0.0.1", 8080)

    assert [line] == enforcing.asks(name, sockets(socket.AF_INET, kind).fileno(), enforcing.pointer(raw), len(raw))


def test_ipv6(enforcing: Stage, sockets: Sockets) -> None:
    raw = inet6("::1", 8080)
    sock = sockets(socket.AF_INET6, STREAM)

    line = "network inet stream connect ::1 8080"
    assert [line] == enforcing.asks("connect", sock.fileno(), enforcing.pointer(raw), len(raw))


@pytest.mark.parametrize(
    ("kind", "word", "verb"),
    [(STREAM, "stream", "connect"), (DGRAM, "dgram", "send"), (SEQPACKET, "seqpacket", "connect")],
)
def test_unix_addresses(enforcing: Stage, sockets: Sockets, kind: int, word: str, verb: str) -> None:
    sock = sockets(socket.AF_UNIX, kind).fileno()
    for raw, name in ((UNIX + b"/run/x\0", "/run/x"), (UNIX + b"\0name", "\\000name")):
        asked = enforcing.asks("connect", sock, enforcing.pointer(raw), len(raw))
        assert [f"network unix {word} {verb} {name}"] == asked


def test_binding_a_path_makes_a_file(enforcing: Stage, sockets: Sockets, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    raw = UNIX + bytes(path) + b"\0"
    sock = sockets(socket.AF_UNIX, STREAM)
    plan = enforcing.plan("bind", sock.fileno(), enforcing.pointer(raw), len(raw))
    asked = enforcing.asks("bind", sock.fileno(), enforcing.pointer(raw), len(raw))

    assert [f"network unix stream bind {path}", f"file mksock {path}"] == [line.rsplit(" 0", 1)[0] for line in asked]
    assert 0 == plan.perform()
    assert path.is_socket()
    again = sockets(socket.AF_UNIX, STREAM).fileno()
    assert -errno.EADDRINUSE == enforcing.answer("bind", again, enforcing.pointer(raw), len(raw))


def test_listening_is_named_by_what_was_bound(enforcing: Stage, sockets: Sockets) -> None:
    sock = sockets(socket.AF_INET, STREAM)
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]

    assert [f"network inet stream listen 127.0.0.1 {port}"] == enforcing.asks("listen", sock.fileno(), 5)
    assert PROCEED is enforcing.plan("listen", sock.fileno(), 5).perform()
    enforcing.process.shares_files = True
    assert 0 == enforcing.plan("listen", sock.fileno(), 5).perform()
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


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


@pytest.mark.parametrize(("fd", "code"), [(999, errno.EBADF), (-1, errno.EBADF)])
def test_what_is_no_socket(enforcing: Stage, fd: int, code: int) -> None:
    raw = enforcing.pointer(inet4("127.0.0.1", 1))
    for name in ("bind", "connect"):
        with failing(code):
            enforcing.answer(name, fd, raw, 16)


def test_a_file_is_no_socket(enforcing: Stage) -> None:
    with open("/dev/null", "rb") as file, failing(errno.ENOTSOCK):
        enforcing.answer("listen", file.fileno(), 1)


def test_an_address_that_is_too_long(enforcing: Stage, sockets: Sockets) -> None:
    with failing(errno.EINVAL):
        enforcing.answer("connect", sockets(socket.AF_INET, STREAM).fileno(), enforcing.pointer(bytes(200)), 200)


def test_families_that_policy_doesnt_name(enforcing: Stage, sockets: Sockets) -> None:
    sock = sockets(socket.AF_NETLINK, socket.SOCK_RAW).fileno()
    raw = struct.pack("HHII", socket.AF_NETLINK, 0, 0, 0)

    assert [] == enforcing.asks("bind", sock, enforcing.pointer(raw), len(raw))
