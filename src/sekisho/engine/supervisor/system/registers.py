"""The registers of a stopped thread, as far as system calls concern them (ptrace(2), NT_PRSTATUS).

The aarch64 layout has been checked against the header (asm/ptrace.h), never run.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass
from typing import Final

from sekisho.engine.supervisor.system import libc
from sekisho.engine.supervisor.system.memory import Iovec

_GETREGSET, _SETREGSET = 0x4204, 0x4205
_NT_PRSTATUS: Final = 1
_NONE: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the registers stand in the kernel's set, by index."""

    count: int
    number: int
    arguments: tuple[int, int, int, int, int, int]
    result: int
    counter: int
    instruction: int
    """How many bytes the system call instruction has."""
    interrupted: int | None
    """What makes the kernel take a stop for one inside a system call that it may have to start again."""


LAYOUTS: Final = {
    "x86_64": Layout(27, 10, (14, 13, 12, 7, 9, 8), 10, 16, 2, 15),
    "aarch64": Layout(34, 8, (0, 1, 2, 3, 4, 5), 0, 32, 4, None),
}


@dataclass(frozen=True, slots=True)
class Registers:
    """The general registers of a thread that stands behind a system call instruction."""

    layout: Layout
    values: tuple[int, ...]

    @classmethod
    def of(cls, tid: int, layout: Layout) -> Registers:
        """Those of the stopped thread ``tid``."""
        buffer = ctypes.create_string_buffer(layout.count * 8)
        vector = Iovec(ctypes.addressof(buffer), len(buffer))
        libc.ptrace(_GETREGSET, tid, _NT_PRSTATUS, ctypes.addressof(vector))
        return cls(layout, struct.unpack(f"{layout.count}Q", buffer.raw))

    def apply(self, tid: int) -> None:
        """The stopped thread ``tid`` has these registers."""
        raw = struct.pack(f"{self.layout.count}Q", *self.values)
        buffer = ctypes.create_string_buffer(raw, len(raw))
        vector = Iovec(ctypes.addressof(buffer), len(buffer))
        libc.ptrace(_SETREGSET, tid, _NT_PRSTATUS, ctypes.addressof(vector))

    @property
    def result(self) -> int:
        """What the call came to: a value, or a negative errno."""
        value = self.values[self.layout.result]
        return value - (1 << 64) if value >> 63 else value

    def calling(self, number: int, *arguments: int) -> Registers:
        """The same thread about to make another system call with the same instruction."""
        changes = dict(zip(self.layout.arguments, (*arguments, *[0] * (6 - len(arguments))), strict=True))
        changes[self.layout.number] = number
        changes[self.layout.counter] = self.values[self.layout.counter] - self.layout.instruction
        return self._with(changes)

    def returning(self, value: int) -> Registers:
        """The same thread after a call that came to ``value``."""
        return self._with({self.layout.result: value & _NONE})

    def _with(self, changes: dict[int, int]) -> Registers:
        if self.layout.interrupted is not None:
            changes[self.layout.interrupted] = _NONE
        return Registers(self.layout, tuple(changes.get(i, value) for i, value in enumerate(self.values)))
