"""The kernel's maps as publishing needs them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.kernel.maps import Map

_MEMBARRIER: Final = {"x86_64": 324, "aarch64": 283}
_GLOBAL: Final = 1


class KernelCells:
    """The automata's cells, mapped into memory: one row of them, whatever elements the map has."""

    def __init__(self, cells: Map) -> None:
        self._memory = memoryview(cells.mapped())
        self._count = cells.entries * cells.stride // 4

    def __len__(self) -> int:
        return self._count

    def write(self, origin: int, cells: bytes, /) -> None:
        """The cells from ``origin`` on are these."""
        self._memory[4 * origin : 4 * origin + len(cells)] = cells


class KernelMaps:
    """All maps of the programs that are in the kernel."""

    def __init__(self, tables: Mapping[str, Map]) -> None:
        """The maps stay their owner's."""
        self.tables = tables
        self.cells = KernelCells(tables["cells"])
        self.state = layout.State.from_buffer(tables["state"].mapped())
        self.counts = layout.Counts.from_buffer(tables["counts"].mapped())

    def book(self) -> int:
        """Which book holds."""
        return int(self.state.book)

    def begin_book(self, book: int) -> None:
        """``book`` is about to be filled anew; whoever is still reading it finds out."""
        self.state.sequence[book] += 1

    def set_book(self, book: int) -> None:
        """``book`` holds from now on."""
        self.state.book = book

    def settle(self) -> None:
        """Every program that was running in the kernel has ended (a grace period of RCU has gone by)."""
        membarrier()


def membarrier() -> None:
    """What ran on any processor before, without having been preempted, has come to its end."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = _MEMBARRIER[os.uname().machine]
    if libc.syscall(ctypes.c_long(number), ctypes.c_long(_GLOBAL), ctypes.c_long(0), ctypes.c_long(0)) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"membarrier: {os.strerror(code)}")
