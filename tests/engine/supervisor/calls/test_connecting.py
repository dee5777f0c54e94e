from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.objects.test_address import UNIX, inet4
from tests.engine.supervisor.stage import Stage

STREAM, DGRAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET


def test_a_destination_is_all_that_a_datagram_socket_gets(enforcing: Stage, sockets: Sockets) -> None:
    receiver, sender = sockets(socket.AF_INET, DGRAM), sockets(socket.AF_INET, DGRAM)
    receiver.bind(("127.0.0.1", 0))
    raw = inet4(*receiver.getsockname())

    assert 0 == enforcing.plan("connect", sender.fileno(), enforcing.pointer(raw), len(raw)).perform()
    assert receiver.getsockname() == sender.getpeername()


def test_the_sockets_that_we_answer_on_are_out_of_reach(enforcing: Stage, sockets: Sockets, tmp_path: Path) -> None:
    listening, sock = sockets(socket.AF_UNIX, STREAM), sockets(socket.AF_UNIX, STREAM)
    listening.bind(str(tmp_path / "control"))
    listening.listen(1)
    status = os.stat(tmp_path / "control")
    enforcing.allow(f"network unix stream connect {tmp_path}/control")
    raw = UNIX + bytes(tmp_path / "control") + b"\0"
    arguments = (sock.fileno(), enforcing.pointer(raw), len(raw))
    enforcing.supervisor.guard.sockets.add((status.st_dev, status.st_ino))

    assert -errno.EPERM == enforcing.handle("connect", *arguments)
    enforcing.supervisor.guard.sockets.clear()
    assert 0 == enforcing.handle("connect", *arguments)
