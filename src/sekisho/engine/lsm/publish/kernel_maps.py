"""The kernel's maps as publishing needs them."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.engine.lsm import guards, layout
from sekisho.engine.lsm.kernel.grace import Grace
from sekisho.engine.lsm.kernel.maps import Map


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
        self._grace = Grace(guards.OWN_NAME)
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
        """Every program that was running in the kernel has ended, but for one that sleeps: it looks at no policy."""
        self._grace.wait()
