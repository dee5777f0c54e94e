"""``query`` and ``audit`` for those who keep them open: they follow the trees that come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sekisho.interface.fuse import ServedFile

NEWS: Final = frozenset({"query", "audit"})
"""The files that tell what happens in a tree; there is nothing in them while none runs."""
_EVERY: Final = 0.5
"""Seconds between looks for a tree that has started."""

Result = TypeVar("Result")


class Arrivals:
    """Tells those who wait that a tree has started; ``is_running()`` is asked as long as somebody does."""

    def __init__(self, is_running: Callable[[], bool]) -> None:
        self._is_running = is_running
        self._lock = threading.Lock()
        self._waiting: set[Callable[[], None]] = set()
        self._is_looking = False

    def expect(self, wake: Callable[[], None]) -> None:
        """``wake()`` is called, from another thread, once a tree runs."""
        with self._lock:
            self._waiting.add(wake)
            if not self._is_looking:
                self._is_looking = True
                threading.Thread(target=self._look, name="trees", daemon=True).start()

    def forget(self, wake: Callable[[], None]) -> None:
        """``wake`` isn't called any more."""
        with self._lock:
            self._waiting.discard(wake)

    def _look(self) -> None:
        while True:
            time.sleep(_EVERY)
            is_running = self._is_running()
            with self._lock:
                woken: set[Callable[[], None]] = set()
                if is_running:
                    woken, self._waiting = self._waiting, woken
                is_done = not self._waiting
                self._is_looking = not is_done
            for wake in woken:
                wake()
            if is_done:
                return


class Follower:
    """One open file of those in NEWS. ``file`` is closed when its tree has ended, and used again with the next."""

    def __init__(
        self, file: ServedFile, is_running: Callable[[], bool], arrivals: Arrivals, wake: Callable[[], None]
    ) -> None:
        self._file = file
        self._is_running = is_running
        self._arrivals = arrivals
        self._wake = wake
        self._is_bound = False

    def read(self, size: int, pid: int, user: int) -> bytes:
        """At most ``size`` bytes; none while no tree runs."""
        return self._do(lambda: self._file.read(size, pid, user), b"")

    def write(self, data: bytes, pid: int, user: int) -> int:
        """How much was taken: all of it, also when the tree that is answered has ended."""
        return self._do(lambda: self._file.write(data, pid, user), len(data))

    def readable(self, pid: int, user: int) -> bool:
        """Whether a read would give something now; a tree that starts wakes who waits for that."""
        readable = self._do(lambda: self._file.readable(pid, user), False)
        if not self._is_bound:
            self._arrivals.expect(self._wake)
        return readable

    def flush(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nobody has it open any more."""
        self._arrivals.forget(self._wake)
        self._file.close()

    def _do(self, action: Callable[[], Result], otherwise: Result) -> Result:
        """What ``action`` gives, with the tree that runs; ``otherwise`` where none does."""
        self._is_bound = self._is_bound or self._is_running()
        if not self._is_bound:
            return otherwise
        try:
            return action()
        except PermissionError:
            raise
        except OSError:
            self._file.close()
            self._is_bound = False
            return otherwise
