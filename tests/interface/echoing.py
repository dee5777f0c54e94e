"""Serves files that give back what is written to them, and runs a command there: ``echoing.py [ETC] -- CMD...``.

A written ``later TEXT`` can be read a moment later, ``who`` gives the caller, ``refuse`` fails with EPERM.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from sekisho.errors import SekishoError
from sekisho.interface import fuse, inside

MOMENT = 0.3


class Echo:
    """One open file."""

    def __init__(self, name: str, flags: int, wake: Callable[[], None]) -> None:
        self.text = b"2.6.0" if name == "version" else b""
        self.wake = wake

    def read(self, size: int, pid: int = 0, user: int = -1) -> bytes:
        text, self.text = self.text[:size], self.text[size:]
        return text

    def write(self, data: bytes, pid: int = 0, user: int = -1) -> int:
        if data.startswith(b"refuse"):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        if data.startswith(b"later "):
            threading.Timer(MOMENT, self._come, [data[6:]]).start()
        elif data.startswith(b"who"):
            self.text += f"{pid} {user}".encode()
        else:
            self.text += data
        return len(data)

    def readable(self, pid: int = 0, user: int = -1) -> bool:
        return bool(self.text)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _come(self, text: bytes) -> None:
        self.text += text
        self.wake()


def serve(where: Path, ready: Callable[[], None], say: Callable[[str], None]) -> None:
    fuse.serve(Echo, os.geteuid(), where, ready)


def main() -> int:
    at = sys.argv.index("--")
    etc = Path(sys.argv[1]) if at > 1 else None
    try:
        return inside.run(sys.argv[at + 1 :], serve, etc)
    except SekishoError as error:
        print(error, file=sys.stderr)
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
