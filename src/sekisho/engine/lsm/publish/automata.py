"""The automata that are in the kernel: equal ones once, each as long as a list refers to it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from hashlib import sha256

from sekisho.engine.lsm.publish.maps import Cells
from sekisho.engine.lsm.publish.regions import Regions


class Automata:
    """Gives automata their places among the cells (``compile.regions.Regions``)."""

    def __init__(self, cells: Cells) -> None:
        """No cell is in use."""
        self._cells = cells
        self._regions = Regions(len(cells))
        self._origins: dict[bytes, int] = {}
        self._held: dict[int, tuple[bytes, int, int]] = {}
        """By origin: which automaton it is, its length, how many lists refer to it."""

    def origin(self, cells: array[int]) -> int:
        """Where the automaton begins; it stands there. Raises NoRoom."""
        content = sha256(cells).digest()
        known = self._origins.get(content)
        if known is None:
            known = self._regions.take(len(cells))
            self._cells.write(known, cells.tobytes())
            self._origins[content] = known
            self._held[known] = (content, len(cells), 0)
        return known

    def hold(self, origins: Iterable[int]) -> None:
        """One list more refers to each of these."""
        for origin in origins:
            content, length, holders = self._held[origin]
            self._held[origin] = (content, length, holders + 1)

    def let_go(self, origins: Iterable[int]) -> None:
        """One list less refers to each of these; what none refers to is going to be somebody else's place."""
        for origin in origins:
            content, length, holders = self._held[origin]
            if holders > 1:
                self._held[origin] = (content, length, holders - 1)
            else:
                self._drop(origin)

    def sweep(self) -> None:
        """What no list ever came to refer to is going to be somebody else's place, too."""
        for origin in [origin for origin, (_, _, holders) in self._held.items() if not holders]:
            self._drop(origin)

    def settled(self) -> None:
        """Nobody looks at what was let go any more."""
        self._regions.settled()

    def _drop(self, origin: int) -> None:
        content, length, _ = self._held.pop(origin)
        del self._origins[content]
        self._regions.give_back(origin, length)
