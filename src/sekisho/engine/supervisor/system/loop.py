"""An event loop: descriptors with something to say, and things that have to be looked at from time to time."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Protocol


class Timed(Protocol):
    """What the loop looks at between calls."""

    def patience(self) -> float:
        """Seconds until it has to be looked at; -1 when nothing but an event needs it."""

    def look(self) -> None:
        """What is due is done."""


class Loop:
    """Calls handlers one after the other; that of the descriptor ``last`` after those of all others."""

    def __init__(self, last: int) -> None:
        self.epoll = select.epoll()
        self.handlers: dict[int, Callable[[int], None]] = {}
        self.timed: list[Timed] = []
        """What is looked at between two handlers' turns."""
        self.ended = False
        self._last = last

    def watch(self, fd: int, handler: Callable[[int], None], events: int = select.EPOLLIN) -> None:
        """``handler(events)`` runs whenever ``fd`` has something to say."""
        self.handlers[fd] = handler
        self.epoll.register(fd, events)

    def unwatch(self, fd: int) -> None:
        """``fd`` is no longer listened to."""
        del self.handlers[fd]
        self.epoll.unregister(fd)

    def serve(self) -> None:
        """Returns when it has ``ended``."""
        poll, handlers, last = self.epoll.poll, self.handlers, self._last
        while not self.ended:
            ready = poll(self._patience())
            if len(ready) > 1:
                ready.sort(key=lambda event: event[0] == last)
            for fd, events in ready:
                handler = handlers.get(fd)
                if handler is not None:
                    handler(events)
            for each in self.timed:
                each.look()

    def _patience(self) -> float:
        """How long the loop may sleep, in seconds; -1 when only an event can end it."""
        shortest = -1.0
        for each in self.timed:
            limit = each.patience()
            if limit >= 0 and (shortest < 0 or limit < shortest):
                shortest = limit
        return shortest
