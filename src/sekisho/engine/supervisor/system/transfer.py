"""sendmsg(2) and recvmsg(2) with raw addresses and control messages, which Python's own take apart."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.engine.supervisor.system import libc

HEADER: Final = struct.Struct("QIxxxxQQQQixxxx")
"""``struct msghdr``."""
CONTROL: Final = struct.Struct("Qii")
"""``struct cmsghdr``, without its data."""
ADDRESS_LIMIT: Final = 128
"""No socket address is longer (``struct sockaddr_storage``)."""


def send_raw(sock: int, payload: bytes, control: Sequence[tuple[int, int, bytes]], flags: int, address: bytes) -> int:
    """Bytes sent; ``address`` is a raw sockaddr, b"" for none."""
    packed = b"".join(
        CONTROL.pack(CONTROL.size + len(body), level, kind) + body + bytes(-len(body) % 8)
        for level, kind, body in control
    )
    body_buffer = ctypes.create_string_buffer(payload, max(1, len(payload)))
    name_buffer = ctypes.create_string_buffer(address, max(1, len(address)))
    control_buffer = ctypes.create_string_buffer(packed, max(1, len(packed)))
    vector = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(body_buffer), len(payload)), 16)
    head = HEADER.pack(
        ctypes.addressof(name_buffer) if address else 0,
        len(address),
        ctypes.addressof(vector),
        1,
        ctypes.addressof(control_buffer) if packed else 0,
        len(packed),
        0,
    )
    return libc.syscall("sendmsg", sock, ctypes.create_string_buffer(head, len(head)), flags)


@dataclass(frozen=True, slots=True)
class Received:
    """What one recvmsg(2) gave: ``length`` is its result, ``flags`` the header's, ``address`` the raw sender."""

    data: bytes
    control: bytes
    flags: int
    address: bytes
    length: int


def receive_raw(sock: int, size: int, control_size: int, flags: int) -> Received:
    """recvmsg(2) with room for ``size`` bytes and ``control_size`` bytes of control messages."""
    body_buffer = ctypes.create_string_buffer(max(1, size))
    name_buffer = ctypes.create_string_buffer(ADDRESS_LIMIT)
    control_buffer = ctypes.create_string_buffer(max(1, control_size))
    vector = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(body_buffer), size), 16)
    head = ctypes.create_string_buffer(
        HEADER.pack(
            ctypes.addressof(name_buffer),
            ADDRESS_LIMIT,
            ctypes.addressof(vector),
            1,
            ctypes.addressof(control_buffer) if control_size else 0,
            control_size,
            0,
        ),
        HEADER.size,
    )
    length = libc.syscall("recvmsg", sock, head, flags)
    _, name_size, _, _, _, control_used, out = HEADER.unpack(head.raw)
    data = ctypes.string_at(body_buffer, min(length, size))
    return Received(
        data, ctypes.string_at(control_buffer, control_used), out, ctypes.string_at(name_buffer, name_size), length
    )
