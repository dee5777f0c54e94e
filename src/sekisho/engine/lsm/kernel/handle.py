"""What all things of bpf(2) have in common: a descriptor, and a name in bpffs if they are to outlive it."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from sekisho.engine.lsm.kernel.call import INFO_BY_FD, OBJ_GET, OBJ_PIN, address, bpf


class Handle:
    """A descriptor that is ours until close()."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """The descriptor."""
        return self._fd

    def close(self) -> None:
        """The descriptor is gone; what it stood for is, too, unless it is pinned or used."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def pin(self, path: Path) -> None:
        """``path``, in a bpffs, stands for the same thing. Raises OSError."""
        name = os.fsencode(path) + b"\0"
        bpf(OBJ_PIN, bytearray(struct.pack("<QII", address(name), self._fd, 0)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def pinned(path: Path) -> int:
    """A descriptor of what is pinned at ``path``. Raises OSError."""
    name = os.fsencode(path) + b"\0"
    return bpf(OBJ_GET, bytearray(struct.pack("<QII", address(name), 0, 0)))


def information(fd: int, size: int) -> bytes:
    """The first ``size`` bytes of what the kernel says of a thing, zeroes where it knows less."""
    room = bytearray(size)
    bpf(INFO_BY_FD, bytearray(struct.pack("<IIQ", fd, size, address(room))))
    return bytes(room)
