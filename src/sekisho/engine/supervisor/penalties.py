"""Violators that sleep: refusals held back for a profile's ``enforcing_penalty`` (TOMOYO 1.8)."""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sekisho.engine.supervisor.system.notify import Listener

_PERM: Final = -1
_TENTH: Final = 0.1
_MANY: Final = 1000
"""Beyond so many it is looked whether they still sleep: a signal wakes them, and they may begin anew at once."""


class Penalties:
    """Calls that will be refused, each when its time has come."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._sleeping: list[tuple[float, int]] = []
        self._many = _MANY

    def __len__(self) -> int:
        """How many sleep, as far as known."""
        return len(self._sleeping)

    def refuse(self, ident: int, tenths: int) -> None:
        """The call fails with EPERM in ``tenths`` tenths of a second; nobody else waits."""
        heapq.heappush(self._sleeping, (time.monotonic() + tenths * _TENTH, ident))
        if len(self._sleeping) > self._many:
            self._sleeping = [each for each in self._sleeping if self._listener.valid(each[1])]
            heapq.heapify(self._sleeping)
            self._many = max(_MANY, 2 * len(self._sleeping))

    def patience(self) -> float:
        """How long the loop may sleep, in seconds (-1: as long as it likes)."""
        return max(0.0, self._sleeping[0][0] - time.monotonic()) if self._sleeping else -1

    def look(self) -> None:
        """Those whose time has come are refused."""
        while self._sleeping and self._sleeping[0][0] <= time.monotonic():
            self._listener.finish(heapq.heappop(self._sleeping)[1], _PERM)
