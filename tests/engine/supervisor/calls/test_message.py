from __future__ import annotations

import errno
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.objects.test_address import UNIX
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import message
from sekisho.engine.supervisor.calls.message import Message
from sekisho.engine.supervisor.system import transfer


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
    raw = transfer.HEADER.pack(0x1000 + 56, len(address), 11, 12, 13, 14, 15) + address

    assert transfer.HEADER.size == 56
    assert Message(address, 11, 12, 13, 14) == message.header(call(raw), 0x1000)


@pytest.mark.parametrize(("name", "size"), [(0, 0), (0x1000, 0)])
def test_a_header_without_an_address(name: int, size: int) -> None:
    assert b"" == message.header(call(transfer.HEADER.pack(name, size, 0, 0, 0, 0, 0)), 0x1000).address


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


def test_a_real_call(enforcing: Stage) -> None:
    made = enforcing.call("sendmsg", 0, enforcing.pointer(transfer.HEADER.pack(0, 0, 1, 2, 3, 4, 5)), 0)

    assert Message(b"", 1, 2, 3, 4) == message.header(made, made.args[1])
