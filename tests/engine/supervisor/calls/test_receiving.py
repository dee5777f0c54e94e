from __future__ import annotations

import errno
import os
import socket
import struct

import pytest
from tests.engine.supervisor.calls.test_sending import header
from tests.engine.supervisor.calls.test_waiting import turn
from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import receiving
from sekisho.engine.supervisor.plan import PROCEED
from sekisho.engine.supervisor.system.transfer import Received, receive_raw

DGRAM = socket.SOCK_DGRAM
GOOD = ("network inet dgram recv 127.0.0.1 0-65535",)
DONTWAIT, ERRQUEUE, WAITFORONE = socket.MSG_DONTWAIT, 0x2000, 0x10000


@pytest.fixture
def near(sockets: Sockets) -> socket.socket:
    return bound(sockets)


def bound(sockets: Sockets, host: str = "127.0.0.1") -> socket.socket:
    sock = sockets(socket.AF_INET, DGRAM)
    sock.bind((host, 0))
    sock.settimeout(10)
    return sock


def blocking(sock: socket.socket) -> int:
    sock.setblocking(True)
    return sock.fileno()


def receive(stage: Stage, fd: int, flags: int = 0, size: int = 9) -> tuple[object, bytes]:
    """(answer to a recvfrom(2) that asks for the sender, what was received)."""
    room, buffer = stage.room()
    answer = stage.handle("recvfrom", fd, room, size, flags, stage.room()[0], stage.pointer(struct.pack("i", 128)))
    return (turn(stage, 0.3) if answer is None else answer), buffer.raw[:size].rstrip(b"\0")


def test_the_sender_is_asked_for(enforcing: Stage, sockets: Sockets, near: socket.socket) -> None:
    far = bound(sockets)
    far.sendto(b"hello", near.getsockname())

    line = f"network inet dgram recv 127.0.0.1 {far.getsockname()[1]}"
    head = header(enforcing, bytes(9), bytes(128))
    assert [line] == enforcing.asks("recvfrom", near.fileno(), enforcing.room()[0], 9, 0, enforcing.room()[0], 8)
    assert [line] == enforcing.asks("recvmsg", near.fileno(), enforcing.pointer(head), 0)
    assert [line] == enforcing.asks("recvmmsg", near.fileno(), enforcing.pointer(head + bytes(8)), 1, 0)
    assert b"hello" == near.recv(9)


def test_a_datagram_that_is_refused_is_dropped_and_the_next_is_waited_for(
    enforcing: Stage, sockets: Sockets, near: socket.socket
) -> None:
    enforcing.allow(*GOOD)
    bad, good = bound(sockets, "127.0.0.2"), bound(sockets)
    bad.sendto(b"bad", near.getsockname())

    assert (None, b"") == receive(enforcing, blocking(near))
    assert [f"network inet dgram recv 127.0.0.2 {bad.getsockname()[1]}"] == enforcing.recorded
    good.sendto(b"good", near.getsockname())
    assert 4 == turn(enforcing)
    assert -errno.EAGAIN == receive(enforcing, near.fileno(), DONTWAIT)[0]


@pytest.mark.parametrize("flags", [DONTWAIT, DONTWAIT | socket.MSG_PEEK])
def test_refused_where_nobody_waits(enforcing: Stage, sockets: Sockets, near: socket.socket, flags: int) -> None:
    """Whoever empties the queue (an edge-triggered poll) gets all that is allowed before it is told of the end."""
    enforcing.allow(*GOOD)
    bad, good = bound(sockets, "127.0.0.2"), bound(sockets)
    for sender, data in ((bad, b"bad"), (bad, b"bad"), (good, b"good"), (bad, b"bad")):
        sender.sendto(data, near.getsockname())

    assert (4, b"good") == receive(enforcing, near.fileno(), flags)
    receive(enforcing, near.fileno(), DONTWAIT)
    assert -errno.EAGAIN == receive(enforcing, near.fileno(), DONTWAIT)[0]


def test_another_reader_was_faster(
    enforcing: Stage, sockets: Sockets, near: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is received in the end is what was asked about, or allowed as well."""
    enforcing.allow(*GOOD)
    bad, good = bound(sockets, "127.0.0.2"), bound(sockets)
    good.sendto(b"taken", near.getsockname())
    bad.sendto(b"bad", near.getsockname())

    def slowly(sock: int, size: int, control: int, flags: int) -> Received:
        found = receive_raw(sock, size, control, flags)
        if found.length == 5 and flags & socket.MSG_PEEK:
            near.recv(9)
        return found

    monkeypatch.setattr(receiving, "receive_raw", slowly)

    assert (-errno.EAGAIN, b"") == receive(enforcing, near.fileno(), DONTWAIT)


def test_learning(learning: Stage, sockets: Sockets, near: socket.socket) -> None:
    """In the caller's place, too: two threads that look at one datagram would get a second that nobody looked at."""
    far = bound(sockets)
    assert (None, b"") == receive(learning, blocking(near))
    far.sendto(b"hello", near.getsockname())

    assert 5 == turn(learning)
    assert [f"network inet dgram recv 127.0.0.1 {far.getsockname()[1]}"] == learning.learned


def test_the_kernel_receives_for_who_knows_other_ids(learning: Stage, sockets: Sockets, near: socket.socket) -> None:
    """Where nothing is enforced."""
    bound(sockets).sendto(b"hello", near.getsockname())
    learning.process.nested = True

    assert ("proceed", b"") == receive(learning, near.fileno())
    assert 1 == len(learning.learned)
    assert b"hello" == near.recv(9)


def test_several_at_once(enforcing: Stage, sockets: Sockets, near: socket.socket) -> None:
    """Those in between that are refused leave no gap."""
    enforcing.allow(*GOOD)
    bad, good = bound(sockets, "127.0.0.2"), bound(sockets)
    for sender, data in ((good, b"one"), (bad, b"bad"), (good, b"three")):
        sender.sendto(data, near.getsockname())
    heads = b"".join(header(enforcing, bytes(9), bytes(128)) + bytes(8) for _ in range(4))
    address, buffer = enforcing.room(len(heads))
    buffer.raw = heads

    enforcing.handle("recvmmsg", blocking(near), address, 4, WAITFORONE, 0)

    assert 2 == turn(enforcing)
    assert (3, 5) == (buffer.raw[56], buffer.raw[64 + 56])


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        (socket.AF_UNIX, socket.SOCK_STREAM),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET),
        (socket.AF_INET, socket.SOCK_STREAM),
        (socket.AF_NETLINK, socket.SOCK_RAW),
    ],
)
def test_what_has_no_sender_is_left_alone_and_remembered(
    enforcing: Stage, sockets: Sockets, family: int, kind: int
) -> None:
    sock = sockets(family, kind)
    arguments = (sock.fileno(), enforcing.pointer(header(enforcing, bytes(9))), 0)

    assert PROCEED is enforcing.answer("recvmsg", *arguments)
    assert {os.readlink(f"/proc/self/fd/{sock.fileno()}")} == enforcing.process.streams
    assert PROCEED is enforcing.answer("recvmsg", *arguments)


def test_errors_of_ones_own_have_no_sender(enforcing: Stage, near: socket.socket) -> None:
    head = enforcing.pointer(header(enforcing, bytes(9)))

    assert PROCEED is enforcing.answer("recvmsg", near.fileno(), head, ERRQUEUE)
    assert set() == enforcing.process.streams


def test_an_error_that_waits_is_told_once(enforcing: Stage, sockets: Sockets, near: socket.socket) -> None:
    gone = bound(sockets)
    near.connect(gone.getsockname())
    gone.close()
    near.send(b"x")

    assert -errno.ECONNREFUSED == receive(enforcing, near.fileno(), DONTWAIT)[0]
    assert -errno.EAGAIN == receive(enforcing, near.fileno(), DONTWAIT)[0]


def test_a_datagram_waits_for_the_administrator(enforcing: Stage, sockets: Sockets, near: socket.socket) -> None:
    bound(sockets).sendto(b"hello", near.getsockname())
    questions = enforcing.supervisor.questions
    questions.observe()
    room, buffer = enforcing.room()
    sender, size = enforcing.room()[0], enforcing.pointer(struct.pack("i", 128))
    enforcing.supervisor.take(enforcing.notification("recvfrom", near.fileno(), room, 9, 0, sender, size))

    questions.answer(questions.pending()[0].serial, 1)

    assert [5] == enforcing.listener.answers
    assert b"hello" == buffer.raw[:5]
