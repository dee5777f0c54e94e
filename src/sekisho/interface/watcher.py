"""One thread that listens to every connection that somebody wants to be woken by."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable


class Watcher:
    """Calls ``turn()`` of whoever has something to read; its thread is there while anybody is added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[int, Callable[[], None]] = {}
        self._epoll: select.epoll | None = None
        self._stop = -1
        self._thread: threading.Thread | None = None

    def add(self, fd: int, turn: Callable[[], None]) -> None:
        """``turn()`` is called, from another thread, whenever ``fd`` has something to read."""
        with self._lock:
            if self._epoll is None:
                self._epoll = select.epoll()
                self._stop = os.eventfd(0, os.EFD_CLOEXEC)
                self._epoll.register(self._stop, select.EPOLLIN)
                self._thread = threading.Thread(target=self._run, name="interface files", daemon=True)
                self._thread.start()
            self._turns[fd] = turn
            self._epoll.register(fd, select.EPOLLIN)

    def remove(self, fd: int) -> None:
        """``fd`` is listened to no more; nothing if it wasn't."""
        with self._lock:
            if self._turns.pop(fd, None) is not None and self._epoll is not None:
                self._epoll.unregister(fd)

    def close(self) -> None:
        """The thread has ended."""
        thread = self._thread
        if thread is None or self._epoll is None:
            return
        os.eventfd_write(self._stop, 1)
        if thread is not threading.current_thread():
            thread.join(10)
        with self._lock:
            self._epoll.close()
            os.close(self._stop)
            self._epoll = self._thread = None
            self._turns.clear()

    def _run(self) -> None:
        assert self._epoll is not None
        while True:
            for fd, _ in self._epoll.poll():
                if fd == self._stop:
                    return
                with self._lock:
                    turn = self._turns.get(fd)
                if turn is not None:
                    turn()
