"""A program in a terminal: keys go in, and what is on the screen comes out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from types import TracebackType

import pyte

PATIENCE = 60.0
"""Seconds that a screen may take on a slow machine."""

KEYS = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[1~", "end": "\x1b[4~",
    "insert": "\x1b[2~", "page-up": "\x1b[5~", "page-down": "\x1b[6~", "enter": "\r", "tab": "\t", "backspace": "\x7f",
}  # fmt: skip
"""Keys as a terminal of the type linux sends them."""


class Terminal:
    """``command`` runs in a terminal of its own, whose session it leads."""

    def __init__(self, command: list[str], lines: int = 40, columns: int = 160) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.status: int | None = None
        self.pid, self.fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            for number in (signal.SIGINT, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.execvpe(command[0], command, {**os.environ, "TERM": "linux", "LC_ALL": "C"})

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)  # the terminal hangs up
        if self.status is None:
            self._end()

    def _end(self) -> None:
        end = time.monotonic() + 5
        while not os.waitpid(self.pid, os.WNOHANG)[0]:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.02)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def cursor(self) -> str:
        """The line that the cursor is in."""
        return self.screen.display[self.screen.cursor.y].rstrip()

    def press(self, *keys: str) -> None:
        """Each of ``keys`` is pressed: one of KEYS by its name, anything else as it is."""
        for key in keys:
            os.write(self.fd, KEYS.get(key, key).encode())

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """``condition()`` holds; fails with the screen if it doesn't come to that."""
        end = time.monotonic() + PATIENCE
        while not condition():
            left = end - time.monotonic()
            assert left > 0 and self._turn(left), f"no {what} on the screen:\n{self.text}"

    def see(self, pattern: str) -> re.Match[str]:
        """``pattern`` (a regular expression) is on the screen; where it was found."""
        self.wait(lambda: re.search(pattern, self.text, re.MULTILINE), f"/{pattern}/")
        found = re.search(pattern, self.text, re.MULTILINE)
        assert found
        return found

    def miss(self, pattern: str) -> None:
        """``pattern`` isn't on the screen any more."""
        self.wait(lambda: not re.search(pattern, self.text, re.MULTILINE), f"end of /{pattern}/")

    def at(self, pattern: str) -> None:
        """The cursor is in a line with ``pattern``."""
        self.wait(lambda: re.search(pattern, self.cursor), f"cursor at /{pattern}/")

    def end(self) -> int:
        """The program has ended; its status."""
        while self._turn(PATIENCE):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def _turn(self, timeout: float) -> bool:
        """What came was put on the screen; False if nothing comes any more."""
        if not select.select([self.fd], [], [], timeout)[0]:
            raise AssertionError(f"nothing happens any more:\n{self.text}")
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other end is closed
            data = b""
        self.stream.feed(data)
        return bool(data)
