"""Interface files for others to open: whom they speak for is found out when they are first used."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sekisho.errors import SekishoError
from sekisho.interface import client
from sekisho.interface.client import OpenFile, Service, Tree
from sekisho.interface.following import NEWS, Arrivals, Follower
from sekisho.interface.fuse import ServedFile
from sekisho.interface.handle import failure

_NOBODY: Final = Tree(0, Path())


class Attached:
    """Opens the files of the tree that runs on ``directory`` (the one of supervisor ``tree``, if that is named), or
    of the directory itself where none does.

    A file that was first used before a tree started or ended speaks on for whom it spoke, and the next one for who is
    there then; but ``query`` and ``audit``, which daemons keep open, follow the trees that come and go. Files of the
    directory that are open at the same time share what they know of it.
    """

    def __init__(self, directory: Path, tree: int | None, log: Callable[[str], None]) -> None:
        self._directory = directory
        self._tree = tree
        self.log = log
        self._lock = threading.Lock()
        self._users: dict[Service, int] = {}
        self._services: dict[Tree, Service] = {}
        self._arrivals = Arrivals(self.is_running)

    def __call__(self, name: str, flags: int, wake: Callable[[], None]) -> ServedFile:
        """The file ``name``, open as ``flags`` say."""
        file = _File(self, name, flags & os.O_ACCMODE, wake)
        return Follower(file, self.is_running, self._arrivals, wake) if name in NEWS else file

    def is_running(self) -> bool:
        """Whether a tree is there to speak for."""
        return self._running() is not _NOBODY

    def take(self) -> Service:
        """Whom a file that is first used now speaks for; give it back when the file is closed."""
        with self._lock:
            key = self._running()
            service = self._services.get(key)
            if service is None:
                service = self._services[key] = client.connect(self._directory, self._tree, self.log)
            self._users[service] = self._users.get(service, 0) + 1
            return service

    def give_back(self, service: Service) -> None:
        """One file less speaks for it; after the last one it is let go."""
        with self._lock:
            self._users[service] -= 1
            if self._users[service]:
                return
            del self._users[service]
            self._services = {key: each for key, each in self._services.items() if each is not service}
        service.close()

    def _running(self) -> Tree:
        running = client.trees(self._directory)
        return next((each for each in running if self._tree in (None, each.pid)), _NOBODY)


class _File:
    """One open file, which is nobody's until it is read, written or polled."""

    def __init__(self, attached: Attached, name: str, access: int, wake: Callable[[], None]) -> None:
        self._attached = attached
        self._name = name
        self._access = access
        self._wake = wake
        self._lock = threading.Lock()
        self._service: Service | None = None
        self._file: OpenFile | None = None

    def read(self, size: int, pid: int, user: int) -> bytes:
        """At most ``size`` bytes."""
        return self._opened().read(size, pid, user)

    def write(self, data: bytes, pid: int, user: int) -> int:
        """How much was taken."""
        return self._opened().write(data, pid, user)

    def readable(self, pid: int, user: int) -> bool:
        """Whether a read would give something now."""
        return self._opened().readable(pid, user)

    def flush(self) -> None:
        """What was changed is kept; nobody is asked."""
        with self._lock:
            if self._file is not None:
                self._file.flush()

    def close(self) -> None:
        """It is nobody's again."""
        with self._lock:
            file, service, self._file, self._service = self._file, self._service, None, None
        if file is not None:
            file.close()
        if service is not None:
            self._attached.give_back(service)

    def _opened(self) -> OpenFile:
        with self._lock:
            if self._file is None:
                self._file = self._open()
            return self._file

    def _open(self) -> OpenFile:
        try:
            service = self._attached.take()
        except SekishoError as error:
            self._attached.log(str(error))
            raise failure(errno.EIO) from None
        self._service = service
        return service.open(
            self._name, readable=self._access != os.O_WRONLY, writable=self._access != os.O_RDONLY, wake=self._wake
        )
