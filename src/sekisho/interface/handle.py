"""One open interface file: reads that go on where the last one stopped, writes cut into lines (spec g.1)."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from typing import Final

from sekisho.interface.access import Access, Caller
from sekisho.interface.authority import Authority
from sekisho.policy.lines import Fault

LONGEST_LINE: Final = 1 << 18
"""A line that is longer, and still has no end, is refused with ENOMEM."""

_PIECE: Final = 8192
_BLANK: Final = re.compile(rb"[^!-~]+")


class Handle:
    """An open file. Each file is a subclass that says what is read and what a line does."""

    def __init__(self, authority: Authority, access: Access, *, readable: bool, writable: bool) -> None:
        self.authority = authority
        self.access = access
        self.readable = readable
        self.writable = writable

    def read(self, caller: Caller, size: int) -> bytes:
        """At most ``size`` bytes, none at the end."""
        raise failure(errno.EINVAL)

    def write(self, caller: Caller, data: bytes) -> int:
        """How much was taken, which is all of it; raises OSError otherwise."""
        raise failure(errno.EINVAL)

    def ready(self) -> bool:
        """Whether a read gives something now; only what tells news ever has nothing to say."""
        return True

    def close(self) -> None:
        """Nobody has it open any more."""


class TextFile(Handle):
    """A file of lines. Reading it gives what ``text`` yields, once; after that nothing more until ``restart``."""

    def __init__(self, authority: Authority, access: Access, *, readable: bool, writable: bool) -> None:
        super().__init__(authority, access, readable=readable, writable=writable)
        self._source: Iterator[str] | None = None
        self._unread = b""
        self._tail = b""

    def text(self) -> Iterator[str]:
        """What reading gives from the beginning, in pieces."""
        return iter(())

    def line(self, line: str) -> bool:
        """What a manager's line (normalised) says is done; False, or a Fault, if it can't be."""
        return False

    def open_line(self, line: str) -> bool:
        """Whether this was a line that anybody may write, and that has done what it says."""
        return False

    def settle(self) -> None:
        """Lines that were put together with those that follow have done what they say."""

    def forget(self) -> None:
        """What was selected isn't any more."""

    def restart(self) -> None:
        """Reading begins anew."""
        self._source = None
        self._unread = b""

    def read(self, caller: Caller, size: int) -> bytes:
        """What comes next."""
        if self._source is None:
            self._source = self.text()
        pieces, length = [self._unread], len(self._unread)
        for piece in self._source if length < size else ():
            pieces.append(piece.encode("ascii", "backslashreplace"))
            length += len(pieces[-1])
            if length >= size:
                break
        raw = b"".join(pieces)
        self._unread = raw[size:]
        return raw[:size]

    def write(self, caller: Caller, data: bytes) -> int:
        """Every line that has come to its end is done, bad ones without a word; EPERM stops at the line."""
        if len(self._tail) + len(data) > LONGEST_LINE and b"\n" not in data:
            raise failure(errno.ENOMEM)
        *lines, self._tail = (self._tail + data).split(b"\n")
        done = 0
        try:
            for raw in lines:
                done += self._write_line(caller, normalise(raw))
        except OSError:
            self._tail = b""
            raise
        finally:
            self.settle()
            for _ in range(done):
                self.authority.changed()
        return len(data)

    def _write_line(self, caller: Caller, line: str) -> bool:
        """Whether policy has been changed by ``line``."""
        if line == "reset":
            self.restart()
            self.forget()
            return False
        if self.open_line(line):
            return False
        if not self.access.permits(caller):
            raise failure(errno.EPERM)
        try:
            return self.line(line)
        except Fault:
            return False


class ReadOnly(TextFile):
    """A file of lines that nobody writes to."""

    def write(self, caller: Caller, data: bytes) -> int:
        """It can't be."""
        raise failure(errno.EINVAL)


def pieces(text: str) -> Iterator[str]:
    """``text``, a little at a time."""
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def normalise(raw: bytes) -> str:
    """A line as the kernel reads it: whatever isn't printable separates words, which stand one space apart."""
    return _BLANK.sub(b" ", raw).strip(b" ").decode("ascii")


def failure(number: int) -> OSError:
    """The OSError with the errno ``number``."""
    return OSError(number, os.strerror(number))
