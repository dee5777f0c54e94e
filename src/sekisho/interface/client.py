"""Interface files as Sekisho's own programs open them: those of a running tree, or of a policy directory.

``connect`` finds whom they speak for. Opening a file asks nobody anything; the first read, write or look does, from
whatever thread it is in. (Who serves a file system must have threads: the supervisor opens files in its programs'
places, and couldn't answer while it waits for one that waits for it.)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sekisho.errors import UserError
from sekisho.interface import sockets
from sekisho.interface.connection import Connection
from sekisho.interface.watcher import Watcher
from sekisho.interface.wire import Flag


class OpenFile(Protocol):
    """An interface file that is open. ``pid`` and ``user`` are those of the process for which this is done."""

    def read(self, size: int, pid: int = 0, user: int = -1) -> bytes:
        """At most ``size`` bytes, none at the end or as long as there is nothing; raises OSError."""

    def write(self, data: bytes, pid: int = 0, user: int = -1) -> int:
        """How much was taken, which is all of ``data``; raises OSError with the errno that its writer gets."""

    def readable(self, pid: int = 0, user: int = -1) -> bool:
        """Whether a read would give something now; if not, ``wake`` is called once when that changes."""

    def wait_readable(self, timeout: float) -> bool:
        """Whether a read gives something now, or within ``timeout`` seconds."""

    def flush(self) -> None:
        """What was changed through it is where it goes on from by itself: with the tree, or on disk. Asks nobody."""

    def close(self) -> None:
        """It isn't open any more; doing this twice is nothing."""


class Service(Protocol):
    """Whom the files speak for."""

    def open(
        self,
        name: str,
        *,
        readable: bool = True,
        writable: bool = True,
        administrator: bool = False,
        wake: Callable[[], None] | None = None,
    ) -> OpenFile:
        """The file ``name``, open; ``administrator`` for Sekisho's own commands, which needn't be managers."""

    def close(self) -> None:
        """What was changed is saved; no more files are opened here."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A running tree: its supervisor's process and its socket."""

    pid: int
    path: Path


def trees(directory: Path) -> list[Tree]:
    """The trees that run on the policy directory ``directory``; sockets that dead ones left are gone."""
    found = []
    for name in sockets.names_in(directory):
        path = directory / name
        try:
            with sockets.connect(path, 5.0) as sock:
                found.append(Tree(sockets.peer(sock)[0], path))
        except FileNotFoundError:
            continue
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            continue  # not ours to use
    return found


def connect(directory: Path, tree: int | None = None, log: Callable[[str], None] = lambda _: None) -> Service:
    """The tree that runs on ``directory``, or the directory itself where none does.

    Raises UserError where ``tree`` (a supervisor's pid) doesn't run, or none was named and several run.
    """
    running = trees(directory)
    if tree is not None:
        running = [each for each in running if each.pid == tree]
        if not running:
            raise UserError(f"no tree with the supervisor {tree} runs on {directory}", "see: sekisho ps")
    if len(running) > 1:
        pids = " ".join(str(each.pid) for each in running)
        raise UserError(f"several trees run on {directory}: {pids}", "choose one with --tree PID")
    if running:
        return RunningTree(running[0].path)
    from sekisho.interface.local import Local

    return Local(directory, log)


def everywhere(directory: Path) -> list[Service]:
    """Every tree that runs on ``directory``, or the directory itself where none does."""
    return [RunningTree(tree.path) for tree in trees(directory)] or [connect(directory)]


class RunningTree:
    """The files of a running tree."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))
        self._watcher = Watcher()

    def open(
        self,
        name: str,
        *,
        readable: bool = True,
        writable: bool = True,
        administrator: bool = False,
        wake: Callable[[], None] | None = None,
    ) -> Connection:
        """The file ``name``; the tree hears of it with the first read, write or look."""
        flags = Flag(0)
        flags |= Flag.READ if readable else Flag(0)
        flags |= Flag.WRITE if writable else Flag(0)
        flags |= Flag.ADMINISTRATOR if administrator else Flag(0)
        return Connection(self.path, name, flags, wake, self._watcher)

    def close(self) -> None:
        """Nobody is woken any more."""
        self._watcher.close()
