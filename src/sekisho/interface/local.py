"""The files of a policy directory that no tree runs on, served within the process that opens them."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sekisho.interface.access import Access, Caller
from sekisho.interface.files import open_file
from sekisho.interface.handle import Handle, failure
from sekisho.interface.offline import Offline

_SAVE_AFTER: Final = 1.0
"""Seconds for which a change may not be on disk."""


class Local:
    """The files of one policy directory. Any thread may use them; what they change is saved within a second."""

    def __init__(self, directory: Path, log: Callable[[str], None]) -> None:
        """Raises UserError, PolicyError among them, where the policy can't be loaded."""
        self.lock = threading.RLock()
        self.authority = Offline(directory, log)
        self.access = Access(self.authority, log)
        self._is_changed = threading.Condition(self.lock)
        self._closed = False
        self._saver: threading.Thread | None = None

    def open(
        self,
        name: str,
        *,
        readable: bool = True,
        writable: bool = True,
        administrator: bool = False,
        wake: Callable[[], None] | None = None,
    ) -> LocalFile:
        """The file ``name``; nobody is ever woken by it. Raises OSError where there is none such."""
        with self.lock:
            self.authority.save()
            handle = open_file(name, self.authority, self.access, readable=readable, writable=writable)
        return LocalFile(self, handle)

    def close(self) -> None:
        """What was changed is saved."""
        with self.lock:
            self._closed = True
            self._is_changed.notify_all()
            if self.authority.is_changed:
                self.authority.save()
        if self._saver is not None:
            self._saver.join()

    def save_soon(self) -> None:
        """What was changed, if anything, will be saved within a second. Holds the lock."""
        if not self.authority.is_changed:
            return
        if self._saver is None:
            self._saver = threading.Thread(target=self._save, name="policy saver", daemon=True)
            self._saver.start()
        self._is_changed.notify_all()

    def _save(self) -> None:
        with self.lock:
            while not self._closed:
                if not self.authority.is_changed:
                    self._is_changed.wait()
                    continue
                # Not cut short by further changes, or a stream of them would never be saved.
                self._is_changed.wait_for(lambda: self._closed, _SAVE_AFTER)
                if self.authority.is_changed:
                    self.authority.save()


class LocalFile:
    """One open file of a policy directory."""

    def __init__(self, local: Local, handle: Handle) -> None:
        self._local = local
        self._handle: Handle | None = handle

    def read(self, size: int, pid: int = 0, user: int = -1) -> bytes:
        """At most ``size`` bytes, none at the end."""
        with self._local.lock:
            return self._open().read(_caller(pid, user), size)

    def write(self, data: bytes, pid: int = 0, user: int = -1) -> int:
        """How much was taken, which is all of ``data``."""
        with self._local.lock:
            try:
                return self._open().write(_caller(pid, user), data)
            finally:
                self._local.save_soon()

    def readable(self, pid: int = 0, user: int = -1) -> bool:
        """Whether a read would give something."""
        with self._local.lock:
            return self._open().ready()

    def wait_readable(self, timeout: float) -> bool:
        """The same, ``timeout`` seconds later if it doesn't: nothing ever changes."""
        if self.readable():
            return True
        time.sleep(timeout)
        return False

    def flush(self) -> None:
        """What was changed is saved."""
        with self._local.lock:
            if self._local.authority.is_changed:
                self._local.authority.save()

    def close(self) -> None:
        """The file is closed, and what was changed is saved."""
        with self._local.lock:
            if self._handle is None:
                return
            self._handle.close()
            self._handle = None
            if self._local.authority.is_changed:
                self._local.authority.save()

    def _open(self) -> Handle:
        if self._handle is None:
            raise failure(errno.EBADF)
        return self._handle


def _caller(pid: int, user: int) -> Caller:
    return Caller(pid or os.getpid(), user if user >= 0 else os.geteuid())
