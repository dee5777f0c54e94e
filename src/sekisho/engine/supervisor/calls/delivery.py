"""What recvmsg(2) gives back: a datagram, its control messages and descriptors, in the caller's ``struct msghdr``."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls.message import MAX_VECTORS
from sekisho.engine.supervisor.system.transfer import HEADER, Received

_CONTROL: Final = struct.Struct("Qii")
_SCM_PIDFD: Final = 4
_CTRUNC: Final = 0x8
_CMSG_CLOEXEC: Final = 0x40000000
_NAME_SIZE, _CONTROL_SIZE, _FLAGS = 8, 40, 48
"""Where these stand in the header."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A caller's message header, to be filled in: ``vectors`` are (address, length) of its buffers."""

    at: int
    name: int
    name_room: int
    vectors: tuple[tuple[int, int], ...]
    control: int
    control_size: int

    @property
    def size(self) -> int:
        """The bytes that there is room for."""
        return sum(length for _, length in self.vectors)


def envelope(call: Call, at: int) -> Envelope:
    """The header at ``at``; raises OSError as the kernel does for a bad one."""
    name, room, vectors, count, control, control_size, _ = HEADER.unpack(call.read(at, HEADER.size))
    if room > 0x7FFFFFFF:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if count > MAX_VECTORS:
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
    pairs = tuple(struct.iter_unpack("QQ", call.read(vectors, 16 * count)))
    return Envelope(at, name, room, pairs, control, control_size if control else 0)


def deliver(call: Call, to: Envelope, got: Received, flags: int) -> int:
    """The length of the datagram; it stands in the caller's memory and its descriptors in the caller's table."""
    start = 0
    for address, length in to.vectors:
        part = got.data[start : start + length]
        if part:
            call.write(address, part)
        start += length
    out = got.flags
    if not flags & _CMSG_CLOEXEC:
        out &= ~_CMSG_CLOEXEC
    control = got.control
    if any(True for _ in descriptors_in(control)):
        control, complete = _installed(call, control, os.O_CLOEXEC if flags & _CMSG_CLOEXEC else 0)
        out |= 0 if complete else _CTRUNC
    if control:
        call.write(to.control, control)
    if to.name:
        if got.address[: to.name_room]:
            call.write(to.name, got.address[: to.name_room])
        call.write(to.at + _NAME_SIZE, struct.pack("I", len(got.address)))
    call.write(to.at + _CONTROL_SIZE, struct.pack("QI", len(control), out))
    return got.length


def _messages(control: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + _CONTROL.size <= len(control):
        size, level, kind = _CONTROL.unpack_from(control, at)
        yield level, kind, control[at + _CONTROL.size : at + size]
        at += max(_CONTROL.size, (size + 7) & ~7)


def _carries_descriptors(level: int, kind: int) -> bool:
    return level == socket.SOL_SOCKET and kind in (socket.SCM_RIGHTS, _SCM_PIDFD)


def descriptors_in(control: bytes) -> Iterator[int]:
    """The descriptors of ours that control messages carry."""
    for level, kind, body in _messages(control):
        if _carries_descriptors(level, kind):
            yield from (fd for (fd,) in struct.iter_unpack("i", body[: len(body) // 4 * 4]) if fd >= 0)


def _installed(call: Call, control: bytes, flags: int) -> tuple[bytes, bool]:
    """The control messages with the caller's numbers for what they carry, and whether there was room for all."""
    parts: list[bytes] = []
    complete = True
    for level, kind, body in _messages(control):
        if _carries_descriptors(level, kind):
            numbers = []
            try:
                for fd in descriptors_in(_CONTROL.pack(_CONTROL.size + len(body), level, kind) + body):
                    numbers.append(call.supervisor.listener.install(call.notification.id, fd, flags))
            except OSError:
                complete = False
            if not numbers:
                continue
            body = struct.pack(f"{len(numbers)}i", *numbers)
        parts.append(_CONTROL.pack(_CONTROL.size + len(body), level, kind) + body + bytes(-len(body) % 8))
    return b"".join(parts), complete
