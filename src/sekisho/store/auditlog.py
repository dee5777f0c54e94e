"""The audit log on disk: one JSON record a line, only ever appended to.

Several engines may append at once: a batch is one ``write`` to a descriptor opened for appending,
which the kernel doesn't interleave with another's. A line that a crash or a full disk cut short is
closed by the next writer and left out by readers, who say how many they left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator

from sekisho.errors import UserError


class AuditWriter:
    """Appends lines to the audit log at ``path``; made (0600) with the first line."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens the log; raises UserError where that can't be."""
        self.path = os.fspath(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._fd = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise UserError(f"cannot write {self.path}: {error.strerror}", "choose another directory with -P") from None
        self._torn = not _ends_with_newline(self._fd)

    def append(self, lines: Iterable[str]) -> None:
        """All ``lines`` are in the log; raises OSError when they aren't all (a full disk)."""
        raw = "".join(line + "\n" for line in lines).encode("ascii", "backslashreplace")
        if not raw:
            return
        if self._torn:
            raw = b"\n" + raw
        # Until proven otherwise: an error below may leave half a line behind.
        self._torn = True
        left = memoryview(raw)
        while left:
            left = left[os.write(self._fd, left) :]
        self._torn = False

    def fileno(self) -> int:
        """The descriptor, for those who have to keep it open or out of a child's reach."""
        return self._fd

    def close(self) -> None:
        """The log isn't open any more."""
        os.close(self._fd)


def _ends_with_newline(fd: int) -> bool:
    size = os.fstat(fd).st_size
    return size == 0 or os.pread(fd, 1, size - 1) == b"\n"


def read(path: str | os.PathLike[str]) -> Iterator[str]:
    """The complete lines of the log, oldest first; none where there is no log."""
    try:
        with open(path, "rb") as stream:
            for raw in stream:
                if raw.endswith(b"\n") and raw != b"\n":
                    yield _text(raw)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"cannot read {os.fspath(path)}: {error.strerror}") from None


def follow(
    path: str | os.PathLike[str], *, sleep: Callable[[float], None] = time.sleep, interval: float = 0.2
) -> Iterator[str]:
    """The complete lines of the log, then each new one as it comes, without end.

    A log that is made, cut or replaced (rotated) meanwhile is taken up from its beginning.
    """
    position, inode, rest = 0, -1, b""
    while True:
        chunk = b""
        try:
            with open(path, "rb") as stream:
                status = os.fstat(stream.fileno())
                if status.st_ino != inode or status.st_size < position:
                    position, inode, rest = 0, status.st_ino, b""
                stream.seek(position)
                chunk = stream.read(1 << 20)
        except FileNotFoundError:
            pass
        position += len(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (_text(line) for line in lines if line)
        if not chunk:
            sleep(interval)


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\n").decode("ascii", "backslashreplace")
