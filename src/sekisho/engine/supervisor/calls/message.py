"""Reading a caller's ``struct msghdr`` and what it points to."""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.system.transfer import ADDRESS_LIMIT, CONTROL, HEADER

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call

MAX_VECTORS: Final = 1024
_MAX_DATA: Final = 1 << 22
_MAX_CONTROL: Final = 1 << 16


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
    if size > ADDRESS_LIMIT:
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
    while at + CONTROL.size <= len(raw):
        size, level, kind = CONTROL.unpack_from(raw, at)
        if size < CONTROL.size or at + size > len(raw):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        body = raw[at + CONTROL.size : at + size]
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers += [number for (number,) in struct.iter_unpack("i", body[: len(body) // 4 * 4])]
        else:
            others.append((level, kind, body))
        at += (size + 7) & ~7
    return others, numbers
