"""The ring buffer that the kernel side sends events through: read where it is, in memory."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import Final

from sekisho.engine.lsm.kernel.maps import Map

_BUSY, _DISCARDED = 1 << 31, 1 << 30
_HEADER: Final = 8
_LENGTH: Final = struct.Struct("<I")
_SOME: Final = 256
"""After how many records room is given back."""


class Ring:
    """The one reader of a ring buffer map. Waiting is by epoll on the map: see ``fileno``.

    On processors that reorder reads nothing here keeps the length of a record from being seen before its contents but
    the system call that waited for it.
    """

    def __init__(self, ring: Map) -> None:
        """``ring`` stays its owner's."""
        self._map = ring
        self._size = ring.entries
        page = mmap.PAGESIZE
        self._own = mmap.mmap(ring.fileno(), page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        # The data are there twice, one behind the other, so that no record is ever in two pieces.
        self._theirs = mmap.mmap(ring.fileno(), page + 2 * self._size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        # Positions are read and written in one piece: 8 bytes, aligned.
        self._read = memoryview(self._own).cast("Q")
        self._written = memoryview(self._theirs)[:8].cast("Q")
        self._data = memoryview(self._theirs)[page:]

    def fileno(self) -> int:
        """A descriptor that is readable while there are records."""
        return self._map.fileno()

    @property
    def waiting(self) -> int:
        """How many bytes of records are there to be read."""
        return self._written[0] - self._read[0]

    def records(self, limit: int = 0) -> Iterator[memoryview]:
        """What has been sent, in order, ``limit`` records at most if given.

        Each is valid until the next is asked for; its place is the kernel's again then.
        """
        data, mask = self._data, self._size - 1
        place = self._read[0]
        count = 0
        while place < self._written[0]:
            begin = place & mask
            (length,) = _LENGTH.unpack_from(data, begin)
            if length & _BUSY:
                return
            size = length & ~_DISCARDED
            if length == size:
                record = data[begin + _HEADER : begin + _HEADER + size]
                yield record
                record.release()
                count += 1
            place += (size + _HEADER + 7) & ~7
            self._read[0] = place
            if limit and count == limit:
                return

    def drain(self, limit: int = 0) -> list[bytes]:
        """The same records, copied; faster, since room is given back for many at once."""
        found: list[bytes] = []
        while self._some(found, min(_SOME, limit - len(found)) if limit else _SOME):
            pass
        return found

    def _some(self, found: list[bytes], limit: int) -> bool:
        """At most so many records more are ``found``; whether there may be others that are asked for."""
        data, mask, length_at = self._theirs, self._size - 1, _LENGTH.unpack_from
        first = mmap.PAGESIZE
        place, written = self._read[0], self._written[0]
        full = len(found) + limit
        busy = False
        while place < written and len(found) < full:
            begin = first + (place & mask)
            (length,) = length_at(data, begin)
            if length & _BUSY:
                busy = True
                break
            size = length & ~_DISCARDED
            if length == size:
                found.append(data[begin + _HEADER : begin + _HEADER + size])
            place += (size + _HEADER + 7) & ~7
        moved = place != self._read[0]
        self._read[0] = place
        return moved and not busy

    def close(self) -> None:
        """The memory is given back; the map isn't closed."""
        for view in (self._read, self._written, self._data):
            view.release()
        self._own.close()
        self._theirs.close()
