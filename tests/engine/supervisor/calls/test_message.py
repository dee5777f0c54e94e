from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.objects.test_address import UNIX
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import message
from sekisho.engine.supervisor.calls.message import Message


class Bytes:
    """Stands for a call whose memory is ``data``, at address 0x1000."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, address: int, size: int) -> bytes:
        got = self.data[address - 0x1000 : address - 0x1000 + size]
        if len(got) != size:
            raise OSError(errno.EFAULT, "")
        return got


def call(data: bytes) -> Call:
    return Bytes(data)  # type: ignore[return-value]


def control(*messages: tuple[int, int, bytes]) -> bytes:
    """Ancillary data as CMSG_NXTHDR(3) walks it."""
    return b"".join(
        struct.pack("Qii", 16 + len(body), level, kind) + body + bytes(-len(body) % 8) for level, kind, body in messages
    )


def ancillary(raw: bytes) -> tuple[list[tuple[int, int, bytes]], list[int]]:
    return message.ancillary(call(raw), Message(b"", 0, 0, 0x1000, len(raw)))


RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)


def test_descriptors_and_the_rest() -> None:
    credentials = (socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("iii", 1, 2, 3))
    raw = control((*RIGHTS, struct.pack("3i", 5, 6, 7)), credentials, (*RIGHTS, struct.pack("i", 8)))

    assert ([credentials], [5, 6, 7, 8]) == ancillary(raw)


@given(st.lists(st.tuples(st.integers(2, 300), st.integers(2, 300), st.binary(max_size=30)), max_size=5))
def test_what_is_packed_is_read_back(messages: list[tuple[int, int, bytes]]) -> None:
    assert (messages, []) == ancillary(control(*messages))


@pytest.mark.parametrize("size", [0, 15, 25, 1 << 40])
def test_a_length_that_cant_be(size: int) -> None:
    with failing(errno.EINVAL):
        ancillary(struct.pack("Qii", size, 1, 2) + bytes(8))


def test_no_ancillary_data() -> None:
    assert ([], []) == message.ancillary(call(b""), Message(b"", 0, 0, 0, 100))
    assert ([], []) == message.ancillary(call(b""), Message(b"", 0, 0, 0x1000, 0))
    assert ([], []) == ancillary(bytes(8))


def test_a_header() -> None:
    address = UNIX + b"/x\0"
    raw = message.HEADER.pack(0x1000 + 56, len(address), 11, 12, 13, 14, 15) + address

    assert message.HEADER.size == 56
    assert Message(address, 11, 12, 13, 14) == message.header(call(raw), 0x1000)


@pytest.mark.parametrize(("name", "size"), [(0, 0), (0x1000, 0)])
def test_a_header_without_an_address(name: int, size: int) -> None:
    assert b"" == message.header(call(message.HEADER.pack(name, size, 0, 0, 0, 0, 0)), 0x1000).address


def test_a_header_that_isnt_there() -> None:
    with failing(errno.EFAULT):
        message.header(call(bytes(55)), 0x1000)


def test_an_address_that_is_too_long() -> None:
    with failing(errno.EINVAL):
        message.copy_address(call(bytes(200)), 0x1000, 129)
    assert bytes(128) == message.copy_address(call(bytes(200)), 0x1000, 0xFFFFFFFF00000080)


def test_scattered_data_is_gathered() -> None:
    vectors = struct.pack("6Q", 0x1000 + 48, 3, 0x1000, 0, 0x1000 + 51, 2)

    assert b"abcde" == message.data(call(vectors + b"abcde"), Message(b"", 0x1000, 3, 0, 0))


def test_too_many_vectors() -> None:
    with failing(errno.EMSGSIZE):
        message.data(call(b""), Message(b"", 0x1000, 1025, 0, 0))


def test_data_that_isnt_there() -> None:
    with failing(errno.EFAULT):
        message.data(call(struct.pack("2Q", 0x2000, 4)), Message(b"", 0x1000, 1, 0, 0))


def test_sending_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    receiver, sender = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    receiver.bind(str(path))
    receiver.settimeout(10)
    with open("/dev/null", "rb") as file:
        rights = [(*RIGHTS, struct.pack("i", file.fileno()))]
        assert 4 == message.send_raw(sender.fileno(), b"data", rights, 0, UNIX + bytes(path) + b"\0")
    data, fds, _, _ = socket.recv_fds(receiver, 100, 4)

    assert (b"data", "/dev/null") == (data, os.readlink(f"/proc/self/fd/{fds[0]}"))
    for each in (receiver, sender):
        each.close()
    os.close(fds[0])


def test_sending_nothing_but_the_message() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    assert 0 == message.send_raw(here.fileno(), b"", [], 0, b"")
    assert b"" == there.recv(10)
    there.close()
    with failing(errno.EPIPE):
        message.send_raw(here.fileno(), b"x", [], socket.MSG_NOSIGNAL, b"")
    here.close()


def test_a_real_call(enforcing: Stage) -> None:
    made = enforcing.call("sendmsg", 0, enforcing.pointer(message.HEADER.pack(0, 0, 1, 2, 3, 4, 5)), 0)

    assert Message(b"", 1, 2, 3, 4) == message.header(made, made.args[1])


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
        peeked = message.receive_raw(near.fileno(), 0, 0, socket.MSG_PEEK | socket.MSG_TRUNC)
        got = message.receive_raw(near.fileno(), 4, 100, 0)

    assert (b"", 8, got.address) == (peeked.data, peeked.length, peeked.address)
    assert (b"data", b"", 4, socket.MSG_TRUNC) == (got.data, got.control, got.length, got.flags)
    assert struct.pack("H", socket.AF_INET) + port + socket.inet_aton("127.0.0.1") + bytes(8) == got.address
