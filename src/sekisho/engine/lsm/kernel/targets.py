"""Which number the running kernel knows a type of its own by: asked of the kernel itself, by a small program."""

from __future__ import annotations

import errno
import os
import struct
import threading
from typing import Final

from sekisho.engine.lsm.kernel.kinds import SYSCALL
from sekisho.engine.lsm.kernel.loading import Request, load
from sekisho.engine.lsm.kernel.program import Program

_ROOM: Final = 128
"""Bytes of a name, with the zero after it."""
_KIND: Final = _ROOM
_RESULT: Final = _ROOM + 8
_CONTEXT: Final = struct.Struct(f"<{_ROOM}sQq")
_FIND_BY_NAME: Final = 167


def _instruction(code: int, to: int = 0, source: int = 0, offset: int = 0, number: int = 0) -> bytes:
    return struct.pack("<BBhi", code, to | source << 4, offset, number)


def _finder() -> bytes:
    """Registers: 6 the context, 1 to 4 the arguments of bpf_btf_find_by_name_kind, 10 the stack, which has the name."""
    parts = [_instruction(0xBF, 6, 1)]
    for place in range(0, _ROOM, 8):
        parts += [_instruction(0x79, 2, 6, place), _instruction(0x7B, 10, 2, place - _ROOM)]
    parts += [
        _instruction(0xBF, 1, 10),
        _instruction(0x07, 1, number=-_ROOM),
        _instruction(0xB7, 2, number=_ROOM),
        _instruction(0x61, 3, 6, _KIND),
        _instruction(0xB7, 4),
        _instruction(0x85, number=_FIND_BY_NAME),
        _instruction(0x7B, 6, 0, _RESULT),
        _instruction(0xB7, 0),
        _instruction(0x95),
    ]
    return b"".join(parts)


class Targets:
    """Numbers of the kernel's types, each asked for once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], int] = {}
        self._program: Program | None = None
        self._lock = threading.Lock()

    def find(self, name: str, target_kind: int) -> int:
        """The number of the type of that name and BTF kind; 0 if the kernel, without its modules, has none.

        Raises OSError where the kernel can't be asked.
        """
        with self._lock:
            if (name, target_kind) not in self._known:
                self._known[name, target_kind] = self._ask(name, target_kind)
            return self._known[name, target_kind]

    def _ask(self, name: str, target_kind: int) -> int:
        text = name.encode()
        if len(text) >= _ROOM:
            return 0
        if self._program is None:
            self._program = Program(load(Request("find", _finder(), SYSCALL)), "find", SYSCALL)
        context = bytearray(_CONTEXT.pack(text, target_kind, 0))
        self._program.run(context)
        result: int = _CONTEXT.unpack(context)[2]
        if result < 0 and result != -errno.ENOENT:
            raise OSError(-result, os.strerror(-result), name)
        if result >> 32 > 0:  # it is a module's: the descriptor of its types has come along
            os.close(result >> 32)
            return 0
        return max(result, 0)

    def close(self) -> None:
        """The program is gone."""
        if self._program is not None:
            self._program.close()
            self._program = None
