"""bpf(2) itself: its commands, and the call."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

from sekisho.errors import NotSupported

MAP_CREATE, MAP_LOOKUP, MAP_UPDATE, MAP_DELETE, MAP_NEXT_KEY = range(5)
PROG_LOAD, OBJ_PIN, OBJ_GET = 5, 6, 7
PROG_TEST_RUN = 10
MAP_FD_BY_ID, INFO_BY_FD = 14, 15
RAW_TRACEPOINT_OPEN, BTF_LOAD = 17, 18
MAP_FREEZE = 22
MAP_LOOKUP_BATCH, MAP_UPDATE_BATCH, MAP_DELETE_BATCH = 24, 26, 27
LINK_CREATE = 28
ITER_CREATE = 33

_NUMBERS: Final = {"x86_64": 321, "aarch64": 280}
_NUMBER: Final = _NUMBERS.get(os.uname().machine, -1)
_NAME_BYTES: Final = 15
_AGAIN: Final = 5
"""How often the verifier may be interrupted by a signal before that is an error."""

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_ulong)


def bpf(command: int, attributes: bytearray) -> int:
    """What the kernel answers, a descriptor mostly; ``attributes`` are as it left them. Raises OSError.

    Whatever addresses the attributes hold has to outlive the call.
    """
    if _NUMBER < 0:
        raise NotSupported(f"bpf(2) has no known number on {os.uname().machine}", f"supported: {', '.join(_NUMBERS)}")
    for _ in range(_AGAIN):
        result: int = _syscall(_NUMBER, command, address(attributes), len(attributes))
        if result >= 0:
            return result
        if ctypes.get_errno() != errno.EAGAIN:
            break
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))


def address(data: bytes | bytearray) -> int:
    """Where the bytes are in memory, for as long as the caller keeps them; 0 for none."""
    if not data:
        return 0
    if isinstance(data, bytearray):
        return ctypes.addressof(ctypes.c_char.from_buffer(data))
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0


def called(name: str) -> bytes:
    """What a map or a program of that name goes by in the kernel, which takes few letters, and not all."""
    kept = (letter if letter.isascii() and (letter.isalnum() or letter in "._") else "_" for letter in name)
    return "".join(kept)[:_NAME_BYTES].encode()
