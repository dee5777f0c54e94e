"""What no policy can give a confined program: the supervisor itself, and the policy it is held to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from sekisho.decide.request import Request
from sekisho.names.word import encode

_HARMLESS: Final = frozenset({"stat", "statm", "status", "cmdline", "comm", "cgroup"})
_READING: Final = frozenset({"file read", "file getattr", "file execute"})
_IN_PLACE: Final = ("--make-", "--remount")
"""Mount operations after which every name still means what it did."""


class Guard:
    """The supervisor's processes (by pid) and policy directories, out of every enforcing domain's reach."""

    def __init__(self) -> None:
        self.processes: set[int] = set()
        self._workers: set[int] = set()
        self.sockets: set[tuple[int, int]] = set()
        """Device and inode of the sockets we answer on."""
        self._proc: tuple[str, ...] = ()
        self._directories: tuple[str, ...] = ()

    def add_process(self, pid: int) -> None:
        """Process ``pid`` is one of ours."""
        self.processes.add(pid)
        self._proc = tuple(f"proc:/{each}/" for each in self.processes)

    def forget_workers(self, living: set[int]) -> None:
        """Of the workers added so far only the ``living`` count: the numbers of others may be anybody's."""
        self.processes -= self._workers - living
        self._workers &= living

    def add_worker(self, pid: int) -> None:
        """Process ``pid`` is one of our workers, as long as it lives."""
        self._workers.add(pid)
        self.add_process(pid)

    def add_directory(self, path: str) -> None:
        """Nothing in the directory ``path`` (canonical), nor what it stands in, can be changed."""
        self._directories += (encode(path.encode("utf-8", "surrogateescape")) + "/",)

    def is_own_socket(self, status: os.stat_result) -> bool:
        """Whether a socket is one that the supervisor answers on."""
        return (status.st_dev, status.st_ino) in self.sockets

    def reached(self, requests: Iterable[Request]) -> Request | None:
        """The first of ``requests`` that would touch what is protected."""
        for request in requests:
            keyword = request.operation.keyword
            if keyword[:5] != "file " or (keyword == "file mount" and str(request.arguments[2]).startswith(_IN_PLACE)):
                continue
            for name in request.arguments:
                if isinstance(name, str) and self._touches(keyword, name):
                    return request
        return None

    def _touches(self, keyword: str, name: str) -> bool:
        if name.startswith(self._proc):
            return keyword != "file getattr" and (keyword != "file read" or name.rpartition("/")[2] not in _HARMLESS)
        if keyword in _READING:
            return False
        if name.startswith(self._directories):
            return True
        moves = keyword in ("file rename", "file mount", "file pivot_root") and name.endswith("/")
        return moves and any(directory.startswith(name) for directory in self._directories)
