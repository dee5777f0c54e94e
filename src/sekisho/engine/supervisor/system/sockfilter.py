"""The filter of a socket (SO_ATTACH_FILTER, socket(7)), as raw classic-BPF instructions."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from typing import Final

from sekisho.engine.supervisor.system import libc

ATTACH: Final = 26
"""SO_ATTACH_FILTER, and SO_GET_FILTER of getsockopt(2)."""
DETACH: Final = 27
LOCK: Final = 44
ATTACH_BPF: Final = 50
SIZE: Final = 8
"""Bytes of one instruction (``struct sock_filter``)."""
PROGRAM: Final = struct.Struct("HxxxxxxQ")
"""``struct sock_fprog``: the number of instructions, and where they stand."""
_LONGEST: Final = 4096


def attach(fd: int, code: bytes) -> None:
    """The socket has the filter ``code`` in place of any other; raises OSError."""
    buffer = ctypes.create_string_buffer(code, len(code))
    _set(fd, ATTACH, PROGRAM.pack(len(code) // SIZE, ctypes.addressof(buffer)))


def detach(fd: int) -> None:
    """The socket has no filter; OSError(ENOENT) where it had none."""
    _set(fd, DETACH, bytes(4))


def attach_loaded(fd: int, program: int) -> None:
    """The socket has the loaded program behind a descriptor (bpf(2)) as its filter."""
    _set(fd, ATTACH_BPF, struct.pack("i", program))


def lock(fd: int, value: int) -> None:
    """Whether the socket's filter can be changed no more (SO_LOCK_FILTER)."""
    _set(fd, LOCK, struct.pack("i", value))


def is_locked(fd: int) -> bool:
    """Whether it is so."""
    with socket.socket(fileno=os.dup(fd)) as handle:
        return bool(handle.getsockopt(socket.SOL_SOCKET, LOCK))


def attached(fd: int) -> bytes:
    """The socket's filter, b"" when it has none; OSError(EACCES) when it was loaded by bpf(2)."""
    room = ctypes.create_string_buffer(_LONGEST * SIZE)
    # In instructions, not bytes.
    size = ctypes.c_int(_LONGEST)
    libc.syscall("getsockopt", fd, socket.SOL_SOCKET, ATTACH, room, ctypes.byref(size))
    return room.raw[: size.value * SIZE]


def _set(fd: int, option: int, value: bytes) -> None:
    libc.syscall("setsockopt", fd, socket.SOL_SOCKET, option, value, len(value))
