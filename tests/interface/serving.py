"""A control server on a loop of its own, in a thread."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.interface.stage import Stage

from sekisho.interface import sockets
from sekisho.interface.client import RunningTree
from sekisho.interface.connection import Connection
from sekisho.interface.server import ControlServer

PATIENCE = 20.0


class Serving:
    """The server, its stage, and what the loop does; ``do`` runs things in the loop's thread."""

    def __init__(self, stage: Stage, directory: Path) -> None:
        self.stage = stage
        self.directory = directory
        self.epoll = select.epoll()
        self.handlers: dict[int, Callable[[int], None]] = {}
        self.turns = 0
        self.said: list[str] = []
        self._todo: list[Callable[[], None]] = []
        self._stop = False
        self.broken: BaseException | None = None
        self.server = ControlServer(
            stage, sockets.path_for(directory, os.getpid()), self._watch, self._unwatch, self.said.append
        )
        self._thread = threading.Thread(target=self._loop)
        self._thread.start()

    def _watch(self, fd: int, handler: Callable[[int], None], events: int) -> None:
        self.handlers[fd] = handler
        self.epoll.register(fd, events)

    def _unwatch(self, fd: int) -> None:
        del self.handlers[fd]
        self.epoll.unregister(fd)

    def _loop(self) -> None:
        try:
            while not self._stop:
                for fd, events in self.epoll.poll(0.01):
                    self.turns += 1
                    if handler := self.handlers.get(fd):
                        handler(events)
                while self._todo:
                    self._todo.pop(0)()
        except BaseException as error:
            self.broken = error
            raise

    def do(self, what: Callable[[], None]) -> None:
        done = threading.Event()

        def both() -> None:
            what()
            done.set()

        self._todo.append(both)
        assert done.wait(PATIENCE)

    def drop(self) -> None:
        """Every connection is over."""
        for client in list(self.server.clients.values()):
            client.close()

    def close(self) -> None:
        self._stop = True
        self._thread.join(PATIENCE)
        self.server.close()
        assert not self.handlers
        self.epoll.close()
        assert self.broken is None


class OpenedTree(RunningTree):
    """Closes what was opened when it is closed itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._opened: list[Connection] = []

    def open(self, name: str, **how: Any) -> Connection:
        self._opened.append(super().open(name, **how))
        return self._opened[-1]

    def close(self) -> None:
        for connection in self._opened:
            connection.close()
        super().close()


@contextmanager
def serving(stage: Stage, directory: Path) -> Iterator[tuple[Serving, RunningTree]]:
    directory.mkdir(parents=True, exist_ok=True)
    served = Serving(stage, directory)
    tree = OpenedTree(served.server.path)
    try:
        yield served, tree
    finally:
        tree.close()
        served.close()


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
