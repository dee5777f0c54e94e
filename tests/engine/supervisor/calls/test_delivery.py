from __future__ import annotations

import errno
import os
import socket
import struct

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls.delivery import deliver, descriptors_in, envelope
from sekisho.engine.supervisor.system.transfer import HEADER, Received

CTRUNC, CMSG_CLOEXEC = 0x8, 0x40000000
PKTINFO = struct.pack("Qii", 28, socket.IPPROTO_IP, 8) + b"pktinfo!info" + bytes(4)


def rights(*fds: int) -> bytes:
    body = struct.pack(f"{len(fds)}i", *fds)
    return struct.pack("Qii", 16 + len(body), socket.SOL_SOCKET, socket.SCM_RIGHTS) + body + bytes(-len(body) % 8)


def test_everything_has_its_place(enforcing: Stage) -> None:
    (name, shown), (first, start), (second, rest), (control, told) = (enforcing.room(32) for _ in range(4))
    vectors = enforcing.pointer(struct.pack("QQQQ", first, 3, second, 32))
    at, head = enforcing.room(HEADER.size)
    head.raw = HEADER.pack(name, 4, vectors, 2, control, 32, 0)
    call = enforcing.call("recvmsg", 0, at, 0)
    to = envelope(call, at)
    assert (35, 32) == (to.size, to.control_size)

    assert 9 == deliver(call, to, Received(b"scattered", PKTINFO, CMSG_CLOEXEC, b"sender", 9), 0)

    assert (b"sca", b"ttered", b"send\0") == (start.raw[:3], rest.raw[:6], shown.raw[:5])
    assert told.raw == PKTINFO
    assert (name, 6, vectors, 2, control, 32, 0) == HEADER.unpack(head.raw)


@pytest.mark.parametrize(
    ("room", "count", "code"), [(1 << 31, 0, errno.EINVAL), (0, 1025, errno.EMSGSIZE), (0, 1, errno.EFAULT)]
)
def test_bad_headers(enforcing: Stage, room: int, count: int, code: int) -> None:
    at = enforcing.pointer(HEADER.pack(0, room, 8, count, 0, 0, 0))
    with failing(code):
        envelope(enforcing.call("recvmsg", 0, at, 0), at)


@pytest.mark.parametrize(("room", "kept", "flags"), [(9, 2, 0), (1, 1, CTRUNC), (0, 0, CTRUNC)])
def test_descriptors_become_the_callers(
    enforcing: Stage, monkeypatch: pytest.MonkeyPatch, room: int, kept: int, flags: int
) -> None:
    """As many as it has room for, each under the caller's number."""
    installed: list[tuple[int, int]] = []

    def install(ident: int, fd: int, flags: int) -> int:
        if len(installed) == room:
            raise OSError(errno.EMFILE, "")
        installed.append((fd, flags))
        return 100 + fd

    monkeypatch.setattr(enforcing.listener, "install", install)
    control, told = enforcing.room(64)
    at, head = enforcing.room(HEADER.size)
    head.raw = HEADER.pack(0, 0, 0, 0, control, 64, 0)
    call = enforcing.call("recvmsg", 0, at, CMSG_CLOEXEC)
    got = Received(b"", rights(5, 6) + PKTINFO, 0, b"", 0)

    deliver(call, envelope(call, at), got, CMSG_CLOEXEC)

    assert [(5, os.O_CLOEXEC), (6, os.O_CLOEXEC)][:kept] == installed
    wanted = (rights(*(105, 106)[:kept]) if kept else b"") + PKTINFO
    assert wanted == told.raw[: len(wanted)]
    assert (len(wanted), flags) == HEADER.unpack(head.raw)[5:]


def test_descriptors_in_control_messages() -> None:
    assert [5, 6, 7] == list(descriptors_in(PKTINFO + rights(5, 6) + rights(7)))
    assert [] == list(descriptors_in(PKTINFO[:10]))
