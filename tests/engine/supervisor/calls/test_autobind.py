"""Ports that the system mustn't choose by itself."""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.calls.test_sending import header
from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.objects.test_address import inet4, inet6
from tests.engine.supervisor.stage import Stage
from tests.engine.supervisor.supervised import Supervised

from sekisho.engine.supervisor.calls import autobind
from sekisho.engine.supervisor.system import procfs
from sekisho.policy.model import Number

STREAM, DGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
FREE = range(41000, 41064)


def deny(stage: Stage, *ranges: tuple[int, int]) -> None:
    """``deny_autobind`` for these."""
    stage.policy.namespaces["<kernel>"].denied_ports[:] = [Number(f"{low}-{high}", low, high) for low, high in ranges]


@pytest.fixture(params=["enforcing", "learning"])
def narrow(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Everything but FREE is denied, and all else allowed."""
    made: Stage = request.getfixturevalue(request.param)
    deny(made, (0, FREE.start - 1), (FREE.stop, 65535))
    made.allow("network inet stream bind/listen/connect 0.0.0.0-255.255.255.255 0-65535")
    made.allow("network inet stream bind/listen/connect ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 0-65535")
    made.allow("network inet dgram bind/send 0.0.0.0-255.255.255.255 0-65535")
    yield made


@pytest.mark.parametrize(
    ("family", "raw"), [(socket.AF_INET, inet4("127.0.0.1", 0)), (socket.AF_INET6, inet6("::1", 0))]
)
@pytest.mark.parametrize("kind", [STREAM, DGRAM])
def test_binding_to_any_port(narrow: Stage, sockets: Sockets, family: int, raw: bytes, kind: int) -> None:
    narrow.allow("network inet dgram bind ::1 0")
    sock = sockets(family, kind)

    assert 0 == narrow.handle("bind", sock.fileno(), narrow.pointer(raw), len(raw))
    assert sock.getsockname()[1] in FREE
    assert socket.inet_ntop(family, raw[8:24] if family == socket.AF_INET6 else raw[4:8]) == sock.getsockname()[0]


def test_a_port_of_ones_own_choice(narrow: Stage, sockets: Sockets) -> None:
    """That is the affair of ``network inet … bind``."""
    probe, sock = sockets(socket.AF_INET, STREAM), sockets(socket.AF_INET, STREAM)
    probe.bind(("127.0.0.1", 0))
    raw = inet4(*probe.getsockname())
    probe.close()
    narrow.handle("bind", sock.fileno(), narrow.pointer(raw), len(raw))

    assert sock.getsockname()[1] in (0, int.from_bytes(raw[2:4], "big"))


def test_listening_unbound(narrow: Stage, sockets: Sockets) -> None:
    sock = sockets(socket.AF_INET, STREAM)

    assert "proceed" == narrow.handle("listen", sock.fileno(), 1)
    assert sock.getsockname()[1] in FREE


@pytest.mark.parametrize("kind", [STREAM, DGRAM])
def test_connecting_unbound(narrow: Stage, sockets: Sockets, kind: int) -> None:
    peer, sock = sockets(socket.AF_INET, kind), sockets(socket.AF_INET, kind)
    peer.bind(("127.0.0.1", 0))
    if kind == STREAM:
        peer.listen()
    raw = inet4(*peer.getsockname())

    assert 0 == narrow.handle("connect", sock.fileno(), narrow.pointer(raw), len(raw))
    assert (peer.getsockname(), True) == (sock.getpeername(), sock.getsockname()[1] in FREE)


@pytest.mark.parametrize("name", ["sendto", "sendmsg", "sendmmsg"])
def test_sending_unbound(narrow: Stage, sockets: Sockets, name: str) -> None:
    peer, sock = sockets(socket.AF_INET, DGRAM), sockets(socket.AF_INET, DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(10)
    raw = inet4(*peer.getsockname())
    head = narrow.pointer(header(narrow, b"hello", raw) + bytes(8))
    arguments = {
        "sendto": (narrow.pointer(b"hello"), 5, 0, narrow.pointer(raw), len(raw)),
        "sendmsg": (head, 0),
        "sendmmsg": (head, 1, 0),
    }[name]

    assert narrow.handle(name, sock.fileno(), *arguments) in (1, 5)
    data, sender = peer.recvfrom(10)
    assert (b"hello", True) == (data, sender[1] in FREE)


def test_when_all_are_taken(narrow: Stage, sockets: Sockets) -> None:
    raw = inet4("127.0.0.1", 0)
    for _ in FREE:
        assert 0 == narrow.handle("bind", sockets(socket.AF_INET, DGRAM).fileno(), narrow.pointer(raw), 16)
    sock = sockets(socket.AF_INET, DGRAM).fileno()
    to = narrow.pointer(inet4("127.0.0.1", 9))

    assert -errno.EADDRINUSE == narrow.handle("bind", sock, narrow.pointer(raw), 16)
    deny(narrow, (0, 65535))
    assert -errno.EADDRINUSE == narrow.handle("listen", sockets(socket.AF_INET, STREAM).fileno(), 1)
    assert -errno.EADDRNOTAVAIL == narrow.handle("connect", sockets(socket.AF_INET, STREAM).fileno(), to, 16)
    assert -errno.EAGAIN == narrow.handle("connect", sock, to, 16)
    assert -errno.EAGAIN == narrow.handle("sendto", sock, narrow.pointer(b"x"), 1, 0, to, 16)


def test_nothing_is_chosen_where_nothing_can_be_denied(learning: Stage, sockets: Sockets) -> None:
    low, high = autobind.local_ports()
    deny(learning, (1, low - 1), (high + 1, 65535))
    raw = learning.pointer(inet4("127.0.0.1", 0))

    assert "proceed" == learning.handle("bind", sockets(socket.AF_INET, STREAM).fileno(), raw, 16)
    deny(learning, (low, low))
    assert 0 == learning.handle("bind", sockets(socket.AF_INET, STREAM).fileno(), raw, 16)


def test_connecting_to_nobody_takes_no_port(narrow: Stage, sockets: Sockets) -> None:
    nobody = struct.pack("H14x", socket.AF_UNSPEC)
    unbound = sockets(socket.AF_INET, DGRAM)
    narrow.handle("connect", unbound.fileno(), narrow.pointer(nobody), 16)
    assert 0 == unbound.getsockname()[1]


def test_ports_that_the_kernel_reserves(narrow: Stage, sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autobind, "_reserved", lambda: set(FREE) - {FREE[7]})
    sock = sockets(socket.AF_INET, DGRAM)

    assert 0 == narrow.handle("bind", sock.fileno(), narrow.pointer(inet4("127.0.0.1", 0)), 16)
    assert FREE[7] == sock.getsockname()[1]


def test_reading_what_is_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, "read_all", lambda path: b"22,8000-8002\n")
    assert {22, 8000, 8001, 8002} == autobind._reserved()
    monkeypatch.setattr(procfs, "read_all", lambda path: b"\n")
    assert set() == autobind._reserved()


_MANY = """
import socket
found = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
        for way in range(40):
            sock, other = socket.socket(family, kind), socket.socket(family, kind)
            if way % 2:
                sock.bind((host, 0))
            elif kind == socket.SOCK_STREAM:
                sock.listen()
            else:
                sock.connect((host, 9))
            found.append(sock.getsockname()[1])
            if way % 2 and kind == socket.SOCK_STREAM:
                sock.listen()
                other.connect(sock.getsockname())
                found.append(other.getsockname()[1])
            other.close()
            sock.close()
print(*found)
"""


@pytest.mark.parametrize("verb", ["learn", "run"])
def test_a_program_gets_no_denied_port(tmp_path: Path, verb: str) -> None:
    supervised = Supervised(tmp_path / "policy", plainly=False)
    low, high = autobind.local_ports()
    middle = (low + high) // 2
    with open(tmp_path / "policy/exception_policy.conf", "a") as exceptions:
        exceptions.write(f"deny_autobind {low}-{middle}\n")
    command = (sys.executable, "-I", "-S", "-c", _MANY)

    done = supervised.learn(*command)
    if verb == "run":
        done = supervised.run(*command)

    ports = [int(word) for word in done.out.split()]
    assert 200 == len(ports), done.err
    assert all(middle < port <= high for port in ports)
