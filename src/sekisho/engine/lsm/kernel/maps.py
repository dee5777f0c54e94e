"""Maps: made, found again, read, written one by one or many at once, mapped into memory."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from sekisho.engine.lsm.kernel import call
from sekisho.engine.lsm.kernel.call import address, bpf, called
from sekisho.engine.lsm.kernel.handle import Handle, information, pinned
from sekisho.engine.lsm.kernel.object import MapShape
from sekisho.engine.lsm.kernel.refusal import MapFull, refused
from sekisho.errors import UserError

HASH, ARRAY, LRU_HASH, RINGBUF, INODE_STORAGE, TASK_STORAGE = 1, 2, 9, 27, 28, 29

ANY, NEW, EXISTING = 0, 1, 2
"""Whether an entry that is updated may be, mustn't be, has to be there."""

Data = int | bytes | bytearray | memoryview | ctypes.Structure
"""A key or a value; a number stands for its bytes."""

_BATCH: Final = 1 << 16
"""How many entries one call moves, so that a signal never waits long."""
_TYPELESS: Final = {RINGBUF}


class Map(Handle):
    """A map of the kernel's. Sizes are in bytes."""

    def __init__(self, fd: int, name: str = "") -> None:
        """The map behind a descriptor, which is this object's from now on; ``name`` is what errors call it."""
        super().__init__(fd)
        numbers = struct.unpack("<6I16s", information(fd, 40))
        self.type: int = numbers[0]
        self.id: int = numbers[1]
        self.key_size: int = numbers[2]
        self.value_size: int = numbers[3]
        self.entries: int = numbers[4]
        self.flags: int = numbers[5]
        self.name = name or numbers[6].rstrip(b"\0").decode()

    @classmethod
    def make(cls, shape: MapShape, entries: int = 0, types: int = 0, prefix: str = "") -> Self:
        """A new map of that shape, with room for ``entries`` if given; ``types`` is the descriptor of its BTF. In the
        kernel ``prefix`` stands before its name.

        Raises NotSupported.
        """
        entries = entries or shape.entries
        known = types if shape.type not in _TYPELESS and shape.value_type else 0
        attributes = struct.pack(
            "<IIIIIII16sIIIIIQ", shape.type, shape.key_size, shape.value_size, entries, shape.flags, 0, 0,
            called(prefix + shape.name), 0, known, shape.key_type if known else 0, shape.value_type if known else 0,
            0, 0,
        )  # fmt: skip
        try:
            made = cls(bpf(call.MAP_CREATE, bytearray(attributes)), shape.name)
        except OSError as error:
            raise refused(f"map {shape.name} ({entries} entries)", error) from error
        if shape.contents:
            made.update(0, shape.contents)
        if shape.constant:
            made.freeze()
        return made

    @classmethod
    def pinned(cls, path: Path) -> Self:
        """The map pinned at ``path``. Raises OSError."""
        return cls(pinned(path), path.name)

    def check(self, shape: MapShape) -> None:
        """Raises UserError unless programs made for ``shape`` can use this map."""
        mine = (self.type, self.key_size, self.value_size)
        if mine != (shape.type, shape.key_size, shape.value_size):
            raise UserError(
                f"the map {self.name} that is there was made by another version of Sekisho: "
                f"type, key, value {mine}, wanted {(shape.type, shape.key_size, shape.value_size)}",
                "stop the engine, then start it again",
            )

    def lookup(self, key: Data) -> bytes | None:
        """The value, or None if there is none."""
        value = bytearray(self.value_size)
        return bytes(value) if self._try(call.MAP_LOOKUP, self._key(key), value) else None

    def update(self, key: Data, value: Data, condition: int = ANY) -> None:
        """``key`` has that value. Raises MapFull, OSError."""
        self._element(call.MAP_UPDATE, self._key(key), self._packed(value, self.value_size), condition)

    def delete(self, key: Data) -> bool:
        """``key`` has no value; whether it had one."""
        return self._try(call.MAP_DELETE, self._key(key), b"")

    def keys(self) -> Iterator[bytes]:
        """Every key, while others may change the map: one that is deleted meanwhile may begin the search anew."""
        key = b""
        following = bytearray(self.key_size)
        while self._try(call.MAP_NEXT_KEY, key, following):
            key = bytes(following)
            yield key

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key with its value, many at once; for hashes and arrays."""
        size = self.key_size, self.value_size
        for keys, values, count in self._batches():
            for place in range(count):
                yield keys[place * size[0] : (place + 1) * size[0]], values[place * size[1] : (place + 1) * size[1]]

    def _batches(self) -> Iterator[tuple[bytes, bytes, int]]:
        room = min(_BATCH, max(self.entries, 1))
        token, before = bytearray(max(self.key_size, 4)), b""
        while True:
            keys, values = bytearray(room * self.key_size), bytearray(room * self.value_size)
            attributes = self._batch(keys, values, room, before, token)
            code = _attempt(call.MAP_LOOKUP_BATCH, attributes)
            if code == errno.ENOSPC:  # one bucket of the hash has more than that
                room *= 2
                continue
            if code not in (0, errno.ENOENT):
                raise OSError(code, os.strerror(code), self.name)
            (count,) = struct.unpack_from("<I", attributes, 32)
            yield bytes(keys), bytes(values), count
            if code:
                return
            before = bytes(token)

    def update_many(self, keys: bytes | bytearray, values: bytes | bytearray) -> None:
        """Every key, packed one behind the other, has its value. Raises MapFull, OSError: then some have not."""
        count = len(keys) // self.key_size
        if len(keys) != count * self.key_size or len(values) != count * self.value_size:
            raise ValueError(f"map {self.name}: {len(keys)} bytes of keys, {len(values)} bytes of values")
        for first in range(0, count, _BATCH):
            last = min(first + _BATCH, count)
            some = keys[first * self.key_size : last * self.key_size]
            theirs = values[first * self.value_size : last * self.value_size]
            attributes = self._batch(some, theirs, last - first)
            try:
                bpf(call.MAP_UPDATE_BATCH, attributes)
            except OSError as error:
                raise self._error(error) from error

    def delete_many(self, keys: bytes | bytearray) -> int:
        """None of these keys, packed one behind the other, has a value; how many had one."""
        size, place, deleted = self.key_size, 0, 0
        count = len(keys) // size
        while place < count:
            some = keys[place * size : min(place + _BATCH, count) * size]
            attributes = self._batch(some, b"", len(some) // size)
            code = _attempt(call.MAP_DELETE_BATCH, attributes)
            if code not in (0, errno.ENOENT):
                raise OSError(code, os.strerror(code), self.name)
            (done,) = struct.unpack_from("<I", attributes, 32)
            deleted += done
            place += done + (code == errno.ENOENT)
        return deleted

    def freeze(self) -> None:
        """Nobody in user space changes the map any more; programs of which it is constant know its values."""
        bpf(call.MAP_FREEZE, bytearray(struct.pack("<I", self.fileno())))

    @property
    def stride(self) -> int:
        """From one element of an array to the next, where it is mapped."""
        return -(-self.value_size // 8) * 8

    def mapped(self) -> mmap.mmap:
        """An array's elements as memory that the kernel side reads and writes, too; at least as long as they are."""
        length = -(-self.entries * self.stride // mmap.PAGESIZE) * mmap.PAGESIZE
        return mmap.mmap(self.fileno(), length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)

    def update_task(self, pid: int, value: Data, condition: int = ANY) -> None:
        """A task's storage holds that value; ``pid`` is a thread group's. Raises OSError, ESRCH if it is no more."""
        fd = os.pidfd_open(pid)
        try:
            self.update(fd, value, condition)
        finally:
            os.close(fd)

    def lookup_task(self, pid: int) -> bytes | None:
        """What a task's storage holds."""
        fd = os.pidfd_open(pid)
        try:
            return self.lookup(fd)
        finally:
            os.close(fd)

    def _key(self, key: Data) -> bytes:
        return self._packed(key, self.key_size)

    def _packed(self, data: Data, size: int) -> bytes:
        packed = data.to_bytes(size, "little") if isinstance(data, int) else bytes(data)
        if len(packed) != size:
            raise ValueError(f"map {self.name}: {len(packed)} bytes where there are {size}")
        return packed

    def _batch(
        self,
        keys: bytes | bytearray,
        values: bytes | bytearray,
        count: int,
        before: bytes = b"",
        after: bytes | bytearray = b"",
    ) -> bytearray:
        return bytearray(
            struct.pack(
                "<QQQQIIQQ", address(before), address(after), address(keys), address(values), count, self.fileno(), 0, 0
            )
        )

    def _try(self, command: int, key: bytes, value: bytes | bytearray) -> bool:
        try:
            self._element(command, key, value)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return False
            raise
        return True

    def _element(self, command: int, key: bytes, value: bytes | bytearray, flags: int = 0) -> None:
        try:
            bpf(command, bytearray(struct.pack("<IIQQQ", self.fileno(), 0, address(key), address(value), flags)))
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> Exception:
        if error.errno == errno.E2BIG:
            return MapFull(f"the kernel's table {self.name} is full: it has room for {self.entries} entries")
        return OSError(error.errno, error.strerror, self.name)


def _attempt(command: int, attributes: bytearray) -> int:
    """0 or the errno."""
    try:
        bpf(command, attributes)
    except OSError as error:
        return error.errno or errno.EIO
    return 0
