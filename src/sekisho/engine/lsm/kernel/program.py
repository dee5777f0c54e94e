"""Programs in the kernel, and the links by which they run."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sekisho.engine.lsm.kernel import call
from sekisho.engine.lsm.kernel.call import address, bpf
from sekisho.engine.lsm.kernel.handle import Handle, information, pinned
from sekisho.engine.lsm.kernel.kinds import Kind

_PROGRAM_INFORMATION: Final = 228
_LINK_INFORMATION: Final = 32
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Facts:
    """What the kernel says of a program. Runs are counted while kernel.bpf_stats_enabled is 1; misses always.

    ``missed`` runs didn't happen since the program was already running on that processor.
    """

    id: int
    name: str
    runs: int
    nanoseconds: int
    missed: int
    verified: int


class Program(Handle):
    """A program that the kernel has verified."""

    def __init__(self, fd: int, name: str, kind: Kind | None = None) -> None:
        super().__init__(fd)
        self.name = name
        self.kind = kind

    @classmethod
    def pinned(cls, path: Path) -> Self:
        """The program pinned at ``path``. Raises OSError."""
        return cls(pinned(path), path.name)

    def facts(self) -> Facts:
        """What the kernel says of it."""
        data = information(self.fileno(), _PROGRAM_INFORMATION)
        time, runs, missed, verified = struct.unpack_from("<QQQI", data, 192)
        (number,) = struct.unpack_from("<I", data, 4)
        return Facts(number, data[64:80].rstrip(b"\0").decode(), runs, time, missed, verified)

    def attach(self) -> Link:
        """A link: the program runs while there is a descriptor of it, or a pin. Raises OSError."""
        if self.kind is not None and self.kind.iterates:
            attributes = bytearray(struct.pack("<IIII", self.fileno(), 0, self.kind.attach, 0))
            return Link(bpf(call.LINK_CREATE, attributes))
        return Link(bpf(call.RAW_TRACEPOINT_OPEN, bytearray(struct.pack("<QII", 0, self.fileno(), 0))))

    def run(self, context: bytearray) -> int:
        """What a ``syscall`` program returns; it reads and writes ``context``. Raises OSError.

        A structure of ctypes is given as ``bytearray(structure)`` and read back by its ``from_buffer``.
        """
        attributes = bytearray(80)
        struct.pack_into("<I", attributes, 0, self.fileno())
        struct.pack_into("<I", attributes, 40, len(context))
        struct.pack_into("<Q", attributes, 48, address(context))
        bpf(call.PROG_TEST_RUN, attributes)
        result: int = struct.unpack_from("<i", attributes, 4)[0]
        return result


class Link(Handle):
    """A program's being run."""

    @classmethod
    def pinned(cls, path: Path) -> Self:
        """The link pinned at ``path``. Raises OSError."""
        return cls(pinned(path))

    @property
    def id(self) -> int:
        """Its number in the kernel."""
        return self._number(4)

    @property
    def program(self) -> int:
        """The id of the program that it runs."""
        return self._number(8)

    def _number(self, at: int) -> int:
        number: int = struct.unpack_from("<I", information(self.fileno(), _LINK_INFORMATION), at)[0]
        return number

    def read(self) -> bytes:
        """What an iterator writes that is run once, over all that there is. Raises OSError."""
        fd = bpf(call.ITER_CREATE, bytearray(struct.pack("<II", self.fileno(), 0)))
        try:
            pieces = []
            while piece := os.read(fd, _CHUNK):
                pieces.append(piece)
            return b"".join(pieces)
        finally:
            os.close(fd)
