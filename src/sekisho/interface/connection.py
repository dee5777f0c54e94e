"""One open file of a running tree: a connection to its control socket."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sekisho.interface import sockets, wire
from sekisho.interface.handle import failure
from sekisho.interface.watcher import Watcher
from sekisho.interface.wire import Flag, Kind, Operation

TIMEOUT: Final = 30.0
"""Seconds after which a tree that doesn't answer counts as gone."""


class Connection:
    """An open file; the connection is made when it is first needed. Any thread may use it."""

    def __init__(
        self, path: Path, name: str, flags: Flag, wake: Callable[[], None] | None, watcher: Watcher | None
    ) -> None:
        self._path = path
        self._name = name
        self._flags = flags
        self._wake = wake
        self._watcher = watcher
        self._lock = threading.RLock()
        self._sock: socket.socket | None = None
        self._error = 0
        """What every further operation gets."""

    def fileno(self) -> int:
        """A descriptor that becomes readable when the tree says something: then ask ``readable`` (which the tree has
        to be asked once before)."""
        with self._lock:
            return self._connected(os.getpid(), os.geteuid()).fileno()

    def read(self, size: int, pid: int = 0, user: int = -1) -> bytes:
        """At most ``size`` bytes, none at the end or as long as there is nothing."""
        pieces, left = [], size
        with self._lock:
            while left > 0:
                asked = min(left, wire.MOST)
                piece = self._ask(Operation.READ, wire.SIZE.pack(asked), pid, user)[1]
                pieces.append(piece)
                left -= len(piece)
                if len(piece) < asked:
                    break
        return b"".join(pieces)

    def write(self, data: bytes, pid: int = 0, user: int = -1) -> int:
        """How much was taken, which is all; an error in the middle is the error of the whole, as in the kernel."""
        with self._lock:
            for start in range(0, max(len(data), 1), wire.MOST):
                self._ask(Operation.WRITE, data[start : start + wire.MOST], pid, user)
        return len(data)

    def readable(self, pid: int = 0, user: int = -1) -> bool:
        """Whether a read would give something now; if not, ``wake`` is called when that changes."""
        with self._lock:
            return bool(self._ask(Operation.POLL, b"", pid, user)[0])

    def wait_readable(self, timeout: float) -> bool:
        """Whether a read gives something now, or within ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while not self.readable():
            left = end - time.monotonic()
            if left <= 0 or not sockets.is_readable(self.fileno(), left):
                return False
            self._drain()
        return True

    def flush(self) -> None:
        """Nothing waits here: what was written has reached the tree."""

    def close(self) -> None:
        """The file is closed."""
        with self._lock:
            self._error = self._error or errno.EBADF
            self._drop()

    def _lose(self) -> None:
        """The tree is gone."""
        self._error = errno.EIO
        self._drop()

    def _drop(self) -> None:
        if self._sock is not None:
            if self._watcher is not None:
                self._watcher.remove(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _connected(self, pid: int, user: int) -> socket.socket:
        if self._error:
            raise failure(self._error)
        if self._sock is None:
            try:
                self._sock = sockets.connect(self._path, TIMEOUT)
            except OSError:
                raise failure(errno.EIO) from None
            self._exchange(Operation.OPEN, bytes([self._flags]) + self._name.encode("ascii", "replace"), pid, user)
            if self._wake is not None and self._watcher is not None:
                self._watcher.add(self._sock.fileno(), self._drain)
        return self._sock

    def _ask(self, operation: Operation, payload: bytes, pid: int, user: int) -> tuple[int, bytes]:
        pid = pid or os.getpid()
        user = os.geteuid() if user < 0 else user
        self._connected(pid, user)
        return self._exchange(operation, payload, pid, user)

    def _exchange(self, operation: Operation, payload: bytes, pid: int, user: int) -> tuple[int, bytes]:
        """The reply's value and payload; a tree that is gone is an input/output error from then on."""
        assert self._sock is not None
        try:
            self._sock.send(wire.request(operation, pid, user, payload))
            error, value, answer = self._reply(self._sock)
        except (OSError, wire.BadMessage):
            self._lose()
            raise failure(errno.EIO) from None
        if error:
            if operation is Operation.OPEN:
                self._drop()
            raise failure(error)
        return value, answer

    def _reply(self, sock: socket.socket) -> tuple[int, int, bytes]:
        while True:
            message = sock.recv(wire.LONGEST)
            _, kind, error, value, payload = wire.parse_reply(message)
            if kind is Kind.REPLY:
                return error, value, payload
            self._woken()

    def _drain(self) -> None:
        """What came without being asked for has been heard."""
        with self._lock:
            # A reply that somebody waited for may have had it with it by now.
            if self._sock is None or not sockets.is_readable(self._sock.fileno(), 0):
                return
            try:
                message = self._sock.recv(wire.LONGEST)
            except OSError:
                message = b""
            if not message:
                self._lose()
        self._woken()

    def _woken(self) -> None:
        if self._wake is not None:
            self._wake()
