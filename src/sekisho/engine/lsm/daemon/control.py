"""The socket by which the command line speaks with the daemon: one request, one answer, each a line of JSON."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sekisho.errors import SekishoError, UserError
from sekisho.interface import sockets

SOCKET: Final = Path("/run/sekisho/system.sock")
_LONGEST: Final = 1 << 20
_PATIENCE: Final = 30.0
_CREDENTIALS: Final = struct.Struct("3i")

Answer = Callable[[dict[str, Any], int], dict[str, Any]]
"""What is answered to a request of a process."""


class Absent(UserError):
    """No daemon is there to be asked."""


def ask(word: str, arguments: Mapping[str, object] | None = None, path: Path = SOCKET) -> dict[str, Any]:
    """What the daemon answers. Raises Absent where there is none, UserError with what it says is wrong."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(_PATIENCE)
        try:
            channel.connect(os.fspath(path))
            channel.sendall(json.dumps({"do": word, **(arguments or {})}).encode() + b"\n")
            raw = _line(channel)
        except (FileNotFoundError, ConnectionRefusedError):
            raise Absent("the engine's daemon isn't running", "start it: sekisho system start") from None
        except PermissionError:
            hint = "it takes root, in a domain that manager.conf names or that isn't enforced"
            raise UserError("the engine's daemon can't be asked from here", hint) from None
        except OSError as error:
            raise UserError(f"the engine's daemon doesn't answer: {error.strerror or error}") from None
    answer: dict[str, Any] = json.loads(raw or b'{"error": "it ended"}')
    if "error" in answer:
        raise UserError(str(answer["error"]))
    return answer


class Listener:
    """The daemon's end."""

    def __init__(self, answer: Answer, path: Path = SOCKET) -> None:
        """Root can connect from now on. Raises UserError where another daemon listens already."""
        self._answer = answer
        self.path = path
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        if is_there(path):
            raise UserError("the engine's daemon is running already", "see: sekisho system status")
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(os.fspath(path))
        os.chmod(path, 0o600)
        self._socket.listen(16)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """Readable when somebody wants something."""
        return self._socket.fileno()

    def serve(self) -> None:
        """Who has connected is answered; nobody but root and this user is."""
        try:
            channel, _ = self._socket.accept()
        except BlockingIOError:
            return
        with channel:
            channel.settimeout(1)
            try:
                pid, uid = _peer(channel)
                # What is found out about the pid is about who connected only as long as that one is there.
                if uid in (0, os.geteuid()) and sockets.peer_lives(channel):
                    channel.sendall(json.dumps(self._said(_line(channel), pid)).encode() + b"\n")
            except OSError:
                return

    def _said(self, raw: bytes, pid: int) -> dict[str, Any]:
        try:
            return self._answer(json.loads(raw), pid)
        except SekishoError as error:
            return {"error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"error": f"not understood: {error!r}"}

    def close(self) -> None:
        """Nobody can connect any more."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


def is_there(path: Path = SOCKET) -> bool:
    """Whether a daemon listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        try:
            channel.connect(os.fspath(path))
        except OSError:
            return False
        return True


def _line(channel: socket.socket) -> bytes:
    raw = b""
    while not raw.endswith(b"\n") and len(raw) < _LONGEST:
        piece = channel.recv(65536)
        if not piece:
            break
        raw += piece
    return raw


def _peer(channel: socket.socket) -> tuple[int, int]:
    """The process that has connected, and its user."""
    pid, uid, _ = _CREDENTIALS.unpack(channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return pid, uid
