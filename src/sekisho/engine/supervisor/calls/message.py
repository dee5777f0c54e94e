"""sendmsg(2) with raw addresses, and reading a caller's ``struct msghdr``."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.system import libc

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call

HEADER: Final = struct.Struct("QIxxxxQQQQixxxx")
_CONTROL: Final = struct.Struct("Qii")
MAX_VECTORS: Final = 1024
_MAX_DATA: Final = 1 << 22
_MAX_CONTROL: Final = 1 << 16
_ADDRESS_LIMIT: Final = 128


@dataclass(frozen=True, slots=True)
class Message:
    """A caller's message header: its address copied, everything else still in the caller's memory."""

    address: bytes
    vectors: int
    count: int
    control: int
    control_size: int


def header(call: Call, at: int) -> Message:
    """The ``struct msghdr`` at ``at``; raises OSError as the kernel does for a bad one."""
    name, size, vectors, count, control, control_size, _ = HEADER.unpack(call.read(at, HEADER.size))
    return Message(copy_address(call, name, size) if name else b"", vectors, count, control, control_size)


def copy_address(call: Call, at: int, size: int) -> bytes:
    """A socket address argument; b"" for none. Raises OSError as the kernel does for a bad one."""
    size &= 0xFFFFFFFF
    if not size:
        return b""
    if size > _ADDRESS_LIMIT:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return call.read(at, size)


def data(call: Call, message: Message) -> bytes:
    """The bytes to send, gathered."""
    if message.count > MAX_VECTORS:
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
    raw = call.read(message.vectors, 16 * message.count)
    parts, total = [], 0
    for base, size in struct.iter_unpack("QQ", raw):
        total += size
        if total > _MAX_DATA:
            size -= total - _MAX_DATA
            parts.append(call.read(base, size))
            break
        parts.append(call.read(base, size))
    return b"".join(parts)


def ancillary(call: Call, message: Message) -> tuple[list[tuple[int, int, bytes]], list[int]]:
    """(control messages without descriptors, numbers of the caller's descriptors that travel along)."""
    if not message.control or not message.control_size:
        return [], []
    raw = call.read(message.control, min(message.control_size, _MAX_CONTROL))
    others: list[tuple[int, int, bytes]] = []
    numbers: list[int] = []
    at = 0
    while at + _CONTROL.size <= len(raw):
        size, level, kind = _CONTROL.unpack_from(raw, at)
        if size < _CONTROL.size or at + size > len(raw):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        body = raw[at + _CONTROL.size : at + size]
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers += [number for (number,) in struct.iter_unpack("i", body[: len(body) // 4 * 4])]
        else:
            others.append((level, kind, body))
        at += (size + 7) & ~7
    return others, numbers


def send_raw(sock: int, payload: bytes, control: Sequence[tuple[int, int, bytes]], flags: int, address: bytes) -> int:
    """Bytes sent; ``address`` is a raw sockaddr, b"" for none."""
    packed = b"".join(
        _CONTROL.pack(_CONTROL.size + len(body), level, kind) + body + bytes(-len(body) % 8)
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
    name_buffer = ctypes.create_string_buffer(_ADDRESS_LIMIT)
    control_buffer = ctypes.create_string_buffer(max(1, control_size))
    vector = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(body_buffer), size), 16)
    head = ctypes.create_string_buffer(
        HEADER.pack(
            ctypes.addressof(name_buffer),
            _ADDRESS_LIMIT,
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
