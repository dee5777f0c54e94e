"""What a program left us alone with is closed without waiting for anybody."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time

import pytest
from tests.engine.supervisor import tried

from sekisho.engine.supervisor.acting import closing


def unread() -> tuple[socket.socket, socket.socket]:
    """A connection whose one end has sent more than the other has room for, and would wait for a minute to close."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    one.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            one.send(bytes(65536))
    return one, other


def test_nobody_waits_for_the_other_end() -> None:
    def play() -> bool:
        closing.prepare()
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGALRM,))
        one, other = unread()
        began = time.monotonic()
        closing.close_at_once(one.detach())
        took = time.monotonic() - began
        blocked = signal.SIGALRM in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        other.close()
        return took < 30 and blocked and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)

    assert tried.in_child(play)


def test_what_can_be_closed_is_closed() -> None:
    def play() -> str:
        closing.prepare()
        read, _ = os.pipe()
        closing.close_at_once(read)
        try:
            os.fstat(read)
        except OSError as error:
            return error.strerror or ""
        return "still open"

    assert "Bad file descriptor" == tried.in_child(play)
