"""Lines that somebody types, or that a pipe gives, with an end to the waiting."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
from typing import Final

_CHUNK: Final = 4096


class LineInput:
    """Reads lines from a descriptor; what comes after a line is kept for the next."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._unread = b""
        self.ended = False
        """Nothing more will come."""

    def forget(self) -> None:
        """What was typed at a terminal so far answers nothing that is asked from now on."""
        if os.isatty(self.fd):
            termios.tcflush(self.fd, termios.TCIFLUSH)
            self._unread = b""

    def read(self, end: float) -> str | None:
        """The next line without the blanks around it; None when ``time.monotonic()`` reaches ``end`` or none comes."""
        while b"\n" not in self._unread:
            left = end - time.monotonic()
            if self.ended or left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None
            data = os.read(self.fd, _CHUNK)
            self.ended = not data
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode("utf-8", "replace").strip()

    def edit(self, prompt: str, text: str, end: float) -> str | None:
        """``text`` as it was changed at a terminal (for which there is time without end); elsewhere the next line."""
        if not os.isatty(self.fd) or self.fd != sys.stdin.fileno():
            return self.read(end)
        import readline  # it writes to the terminal when it is imported

        readline.set_startup_hook(lambda: readline.insert_text(text))
        try:
            return input(prompt).strip()
        except EOFError:
            return ""
        finally:
            readline.set_startup_hook(None)
