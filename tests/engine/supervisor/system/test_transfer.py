from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.objects.test_address import UNIX

from sekisho.engine.supervisor.system import transfer

RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)


def test_sending_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    receiver, sender = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    receiver.bind(str(path))
    receiver.settimeout(10)
    with open("/dev/null", "rb") as file:
        rights = [(*RIGHTS, struct.pack("i", file.fileno()))]
        assert 4 == transfer.send_raw(sender.fileno(), b"data", rights, 0, UNIX + bytes(path) + b"\0")
    data, fds, _, _ = socket.recv_fds(receiver, 100, 4)

    assert (b"data", "/dev/null") == (data, os.readlink(f"/proc/self/fd/{fds[0]}"))
    for each in (receiver, sender):
        each.close()
    os.close(fds[0])


def test_sending_nothing_but_the_message() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    assert 0 == transfer.send_raw(here.fileno(), b"", [], 0, b"")
    assert b"" == there.recv(10)
    there.close()
    with failing(errno.EPIPE):
        transfer.send_raw(here.fileno(), b"x", [], socket.MSG_NOSIGNAL, b"")
    here.close()


def test_receiving_raw() -> None:
    """More than there is room for is told by the length alone."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
    ):
        for each in (near, far):
            each.bind(("127.0.0.1", 0))
        port = struct.pack("!H", far.getsockname()[1])
        near.settimeout(10)
        far.sendto(b"datagram", near.getsockname())
        peeked = transfer.receive_raw(near.fileno(), 0, 0, socket.MSG_PEEK | socket.MSG_TRUNC)
        got = transfer.receive_raw(near.fileno(), 4, 100, 0)

    assert (b"", 8, got.address) == (peeked.data, peeked.length, peeked.address)
    assert (b"data", b"", 4, socket.MSG_TRUNC) == (got.data, got.control, got.length, got.flags)
    assert struct.pack("H", socket.AF_INET) + port + socket.inet_aton("127.0.0.1") + bytes(8) == got.address
