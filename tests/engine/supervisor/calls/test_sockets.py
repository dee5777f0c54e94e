from __future__ import annotations

import errno
import socket
import struct

import pytest
from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.objects.test_address import UNIX, inet4, inet6
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.calls.sockets import described

STREAM, DGRAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET


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


def test_a_socket_that_hears_is_known_by_a_number_of_its_own(sockets: Sockets) -> None:
    one, other = (sockets(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with one.dup() as same:
        numbers = [getattr(described(Fd(each.fileno())), "cookie", None) for each in (one, same, other)]

    assert numbers[0] == numbers[1] != numbers[2]
    assert 0 not in numbers
    assert 0 == getattr(described(Fd(sockets(socket.AF_INET, socket.SOCK_STREAM).fileno())), "cookie", None)


def test_sockets_without_an_address(enforcing: Stage) -> None:
    try:
        sock = socket.socket(socket.AF_ALG, SEQPACKET)
    except OSError:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
    with sock:
        found = described(Fd(sock.fileno()))
        assert found is not None
        assert (sock.family, 0) == (found.family, found.cookie)
