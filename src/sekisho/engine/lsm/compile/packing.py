"""A machine's rows laid over each other, so that a table of thousands of states is hardly larger than what it holds.

The cell for a state and a symbol is the state's offset plus the symbol. It says itself which symbol it is for, and no
two states have the same offset: so a cell that another state uses is seen to be somebody else's.
"""

from __future__ import annotations

from array import array
from typing import Final

from sekisho.engine.lsm.compile.subsets import NOWHERE, Machine, TooManyStates

ACCEPT: Final = 257
"""The symbol after the last byte."""

SYMBOL_SHIFT: Final = 23
MAX_VALUE: Final = (1 << SYMBOL_SHIFT) - 1


def pack(machine: Machine) -> array[int]:
    """The region for ``machine``, in which every state's whole row lies.

    Raises:
        TooManyStates: offsets can't reach so far.
    """
    symbols = [
        [*sorted(row), *([ACCEPT] if number else [])]
        for row, number in zip(machine.rows, machine.accepted, strict=True)
    ]
    if any(NOWHERE in row.values() for row in machine.rows):
        symbols.append([])
    offsets = _offsets(symbols)
    last = max(offsets)
    if last > MAX_VALUE:
        raise TooManyStates(f"more than {MAX_VALUE} cells")
    cells = array("I", bytes(4 * (last + ACCEPT + 1)))
    for state, (row, number) in enumerate(zip(machine.rows, machine.accepted, strict=True)):
        offset = offsets[state]
        for symbol, target in row.items():
            cells[offset + symbol] = (symbol + 1) << SYMBOL_SHIFT | offsets[target]  # NOWHERE, -1, is the last
        if number:
            cells[offset + ACCEPT] = (ACCEPT + 1) << SYMBOL_SHIFT | number
    return cells


def _offsets(rows: list[list[int]]) -> list[int]:
    """For each row an offset of its own at which no two rows use a cell together; 0 for the first."""
    room = _Room(sum(map(len, rows)) + len(rows))
    offsets = [0] * len(rows)
    room.take(0, rows[0])
    # Long rows first: short ones fit in between. Then rows of the same symbols: each search goes on after the last.
    for state in sorted(range(1, len(rows)), key=lambda state: (-len(rows[state]), rows[state], state)):
        offsets[state] = room.place(rows[state])
    return offsets


class _Room:
    def __init__(self, expected: int) -> None:
        self._cells = bytearray(expected + 1024)
        self._offsets = bytearray(expected + 1024)
        self._next: dict[tuple[int, ...], int] = {}
        self._reached: dict[int, int] = {}

    def place(self, row: list[int]) -> int:
        """An offset at which the row fits, which is taken from now on."""
        key = tuple(row)
        offset = self._next.get(key)
        if offset is None:
            offset = self._reached.get(len(row), 0)
        offset = self._search(offset, row)
        self._next[key] = offset + 1
        self.take(offset, row)
        return offset

    def _search(self, offset: int, row: list[int]) -> int:
        cells, offsets = self._cells, self._offsets
        first = row[0] if row else 0
        failed = 0
        while True:
            if offset + ACCEPT >= len(cells):
                more = bytes(len(cells))
                cells += more
                offsets += more
            if row:
                place = cells.find(0, offset + first)
                if place < 0:
                    offset = len(cells)
                    continue
                offset = place - first
                if offset + ACCEPT >= len(cells):
                    continue
            if not offsets[offset] and not any(cells[offset + symbol] for symbol in row):
                if failed > _PATIENCE:
                    self._reached[len(row)] = max(self._reached.get(len(row), 0), offset - _PATIENCE)
                return offset
            failed += 1
            offset += 1

    def take(self, offset: int, row: list[int]) -> None:
        """The offset and the row's cells there are somebody's."""
        self._offsets[offset] = 1
        for symbol in row:
            self._cells[offset + symbol] = 1


_PATIENCE: Final = 256
"""After so many failures the next row of that length isn't tried in front of where this one fitted."""
