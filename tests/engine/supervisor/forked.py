"""Children of the tests: doing something elsewhere, or standing still to be looked at."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PATIENCE = 20


@dataclass
class Child:
    """A forked process that waits; ``channel`` talks to what it runs."""

    pid: int
    channel: socket.socket

    def tell(self, text: bytes) -> bytes:
        """The child's answer to ``text``."""
        self.channel.send(text)
        return self.hear()

    def hear(self) -> bytes:
        """What the child says next."""
        return self.channel.recv(65536)


@contextlib.contextmanager
def child(play: Callable[[socket.socket], None]) -> Iterator[Child]:
    """A child that runs ``play(channel)`` and is gone, whatever happens, when the block ends."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here.settimeout(_PATIENCE)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            here.close()
            signal.alarm(_PATIENCE)
            play(there)
            code = 0
        finally:
            os._exit(code)
    there.close()
    try:
        yield Child(pid, here)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        here.close()


def wait_for_word(channel: socket.socket) -> None:
    """A child's play that does nothing: ready, and there until it is told something."""
    channel.send(b"ready")
    channel.recv(100)
