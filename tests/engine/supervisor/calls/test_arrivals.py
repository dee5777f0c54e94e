"""Calls that wait for a connection or a datagram, and what ends their wait."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time

import pytest
from tests.engine.supervisor.calls.test_accepting import client, listening
from tests.engine.supervisor.calls.test_waiting import turn
from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import arrivals

ERESTARTSYS = 512


@pytest.fixture
def waiting_in(enforcing: Stage, sockets: Sockets) -> socket.socket:
    """A listening socket, on which an accept has just begun to wait."""
    enforcing.allow("network inet stream accept 127.0.0.1 0-65535")
    sock = listening(sockets)
    assert enforcing.handle("accept", sock.fileno(), 0, 0) is None
    return sock


def test_nobody_is_held_up(enforcing: Stage, sockets: Sockets, waiting_in: socket.socket) -> None:
    assert -errno.EPERM == enforcing.handle("open", b"/etc/hostname", os.O_RDONLY)
    enforcing.listener.answers.clear()
    assert set() == enforcing.supervisor.workers.pids
    assert turn(enforcing, 0.1) is None
    client(sockets, waiting_in)

    assert isinstance(turn(enforcing), tuple)


def test_nothing_is_left_of_a_wait_that_is_over(enforcing: Stage, sockets: Sockets, waiting_in: socket.socket) -> None:
    client(sockets, waiting_in)
    turn(enforcing)

    assert -1 == enforcing.supervisor._patience()
    assert waiting_in.getblocking()


def test_a_signal(enforcing: Stage, waiting_in: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "signalled", lambda tid: True)

    assert -ERESTARTSYS == turn(enforcing)


def test_a_caller_that_is_gone(
    enforcing: Stage, sockets: Sockets, waiting_in: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes later is not taken from whoever else listens."""
    monkeypatch.setattr(enforcing.listener, "valid", lambda ident: False)
    client(sockets, waiting_in)
    assert turn(enforcing, 0.3) is None

    assert -1 == enforcing.supervisor._patience()
    waiting_in.settimeout(10)
    waiting_in.accept()[0].close()


def test_a_time_limit(enforcing: Stage, sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    sock = listening(sockets)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 0, 120_000))
    began = time.monotonic()
    assert enforcing.handle("accept", sock.fileno(), 0, 0) is None

    assert -errno.EAGAIN == turn(enforcing)
    assert time.monotonic() - began >= 0.12
    monkeypatch.setattr(arrivals, "signalled", lambda tid: True)
    enforcing.listener.answers.clear()
    enforcing.supervisor.handle(enforcing.notification("accept", sock.fileno(), 0, 0)._replace(id=2))
    assert -errno.EINTR == turn(enforcing)


def test_a_socket_that_is_shut_down_meanwhile(enforcing: Stage, waiting_in: socket.socket) -> None:
    waiting_in.shutdown(socket.SHUT_RD)

    assert -errno.EINVAL == turn(enforcing)


def test_an_orphaned_connection_is_given_up_in_the_end(
    enforcing: Stage, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    sock = listening(sockets)
    other = client(sockets, sock)
    enforcing.supervisor.questions.observe()
    enforcing.supervisor.take(enforcing.notification("accept", sock.fileno(), 0, 0))
    monkeypatch.setattr(enforcing.listener, "valid", lambda ident: False)
    monkeypatch.setattr(arrivals, "_ORPHANED", 0.2)
    turn(enforcing, 0.5)

    with pytest.raises(ConnectionResetError):
        other.recv(1)
    assert -1 == enforcing.supervisor.arrivals.patience()


def test_an_unread_error_queue_wakes_nobody_again_and_again(enforcing: Stage, sockets: Sockets) -> None:
    near, gone = sockets(socket.AF_INET, socket.SOCK_DGRAM), sockets(socket.AF_INET, socket.SOCK_DGRAM)
    for each in (near, gone):
        each.bind(("127.0.0.1", 0))
    near.setsockopt(socket.IPPROTO_IP, 11, 1)
    near.connect(gone.getsockname())
    gone.close()
    near.send(b"x")
    size = enforcing.pointer(struct.pack("i", 128))
    arguments = (near.fileno(), enforcing.room()[0], 9, 0, enforcing.room()[0], size)
    assert -errno.ECONNREFUSED == enforcing.handle("recvfrom", *arguments)
    assert enforcing.handle("recvfrom", *arguments) is None

    woken = sum(1 for _ in range(20) for fd, _ in enforcing.supervisor.epoll.poll(0.01))

    assert woken <= 1


def test_what_is_remembered_is_remembered_by_call(enforcing: Stage, waiting_in: socket.socket) -> None:
    first = enforcing.call("accept", waiting_in.fileno(), 0, 0)
    other = Call(enforcing.supervisor, first.notification._replace(id=2), enforcing.process, enforcing=True)
    known = enforcing.supervisor.arrivals

    assert known.of(first) is known.of(first)
    assert known.of(other) is not known.of(first)


def test_supervisors_end_with_nothing_open(enforcing: Stage, sockets: Sockets, waiting_in: socket.socket) -> None:
    before = len(enforcing.supervisor.handlers)

    enforcing.supervisor.arrivals.close()

    assert before - 1 == len(enforcing.supervisor.handlers)


def test_looking_after_many_leaves_time_for_others(
    enforcing: Stage, waiting_in: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[float] = []

    def slowly(_: int) -> bool:
        time.sleep(0.05)
        looked.append(time.monotonic())
        return False

    monkeypatch.setattr(arrivals, "signalled", slowly)
    while len(looked) < 2:
        enforcing.supervisor.arrivals.look()

    assert looked[1] - looked[0] >= 0.4
