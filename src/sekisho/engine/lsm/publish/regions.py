"""Who has which cells: first fit, and what was given back is used again only once nobody can be looking at it."""

from __future__ import annotations

from bisect import bisect_left, insort


class NoRoom(MemoryError):
    """No gap is long enough."""


class Regions:
    """Regions of ``size`` cells, none given to two."""

    def __init__(self, size: int) -> None:
        self._gaps: list[tuple[int, int]] = [(0, size)]
        """(origin, length), ascending; no two touch."""
        self._returned: list[tuple[int, int]] = []

    def take(self, length: int) -> int:
        """The origin of a region of ``length`` cells. Raises NoRoom."""
        for place, (origin, room) in enumerate(self._gaps):
            if room >= length:
                if room == length:
                    del self._gaps[place]
                else:
                    self._gaps[place] = (origin + length, room - length)
                return origin
        raise NoRoom(f"no room for {length} cells")

    def give_back(self, origin: int, length: int) -> None:
        """The region is free after the next ``settled``."""
        if length:
            self._returned.append((origin, length))

    @property
    def waiting(self) -> bool:
        """Whether something was given back and isn't free yet."""
        return bool(self._returned)

    def settled(self) -> None:
        """Nobody looks at what was given back any more: it is free."""
        for region in self._returned:
            insort(self._gaps, region)
            self._join(bisect_left(self._gaps, region))
        self._returned.clear()

    def _join(self, place: int) -> None:
        """The gap at ``place`` is one with those that it touches."""
        for left in (place, place - 1):
            if 0 <= left < len(self._gaps) - 1:
                (origin, length), (following, more) = self._gaps[left : left + 2]
                if origin + length == following:
                    self._gaps[left : left + 2] = [(origin, length + more)]
