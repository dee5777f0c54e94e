"""Any messages on the control socket: each is answered, or the connection is over; nothing is an internal error."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from tests.interface.stage import Stage

from sekisho.interface import wire
from sekisho.interface.files import KINDS
from sekisho.interface.server import Client, ControlServer
from sekisho.interface.wire import Operation

WORDS = (
    *(wire.request(operation, 10, 0).decode("latin-1") for operation in Operation),
    *(f"\xff\xff\x07{name}" for name in KINDS),
    "<kernel> /bin/x\n", "select pid=10\n", "file read /x\n", "A1=1\n", "\x00\x00\x10\x00", "\xff\xff",
)  # fmt: skip


def _conversation(name: str, text: bytes) -> bytes:
    messages = [
        wire.request(Operation.OPEN, 10, 0, b"\x03" + name.encode("ascii")),
        wire.request(Operation.WRITE, 10, 0, text),
        wire.request(Operation.POLL, 10, 0),
        wire.request(Operation.READ, 10, 0, wire.SIZE.pack(100)),
    ]
    return b"\xff\xff".join(messages)


SEEDS = tuple(_conversation(name, b"<kernel> /bin/x\nfile read /x\n") for name in KINDS)


class _Socket:
    """Gives one message after the other, and takes answers or, every third time, doesn't."""

    def __init__(self, messages: list[bytes]) -> None:
        self.messages = messages
        self.answers: list[bytes] = []
        self.sends = 0
        self.closed = False

    def fileno(self) -> int:
        return 7

    def recv(self, size: int) -> bytes:
        return self.messages.pop(0)[:size]

    def send(self, message: bytes) -> None:
        assert not self.closed
        self.sends += 1
        if self.sends % 3 == 0:
            raise BlockingIOError
        self.answers.append(message)

    def close(self) -> None:
        self.closed = True


def one(data: bytes) -> None:
    """0xff 0xff ends a message."""
    stage = Stage()
    stage.questions.ask(1, "file read /x", stage.put(10, "<kernel> /bin/x"))
    sock = _Socket(data.split(b"\xff\xff"))
    clients: dict[int, Client] = {}
    ignore: Callable[..., None] = lambda *_: None  # noqa: E731
    server: Any = SimpleNamespace(
        authority=stage, access=stage.access, clients=clients, watch=ignore, unwatch=ignore, complain=_complain
    )
    client = clients[7] = Client(cast(ControlServer, server), cast(socket.socket, sock))
    while sock.messages and not sock.closed:
        client.turn(select.EPOLLIN)
        client.look()
    for answer in sock.answers:
        wire.parse_reply(answer)
        assert len(answer) <= wire.LONGEST
    client.close()
    assert not clients


def _complain(bug: Exception) -> None:
    raise bug
