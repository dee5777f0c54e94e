"""Reading and writing a confined program's memory."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Final

from sekisho.engine.supervisor.system import libc

PATH_MAX: Final = 4096
_CHUNK: Final = 256
_PAGE: Final = 4096
_MAX_VECTOR: Final = 1 << 21
_MAX_STRING: Final = 1 << 17
"""MAX_ARG_STRLEN (execve(2)); one that is longer is E2BIG."""
_MAX_STRINGS: Final = 6 << 20
"""What all strings and their pointers may take, whatever the limit on the stack."""


class Iovec(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def _fault() -> OSError:
    return OSError(errno.EFAULT, os.strerror(errno.EFAULT))


def _too_big() -> OSError:
    return OSError(errno.E2BIG, os.strerror(errno.E2BIG))


class Memory:
    """One address space, through /proc/PID/mem; dies with the program image (exec makes a new one)."""

    __slots__ = ("fd", "known")

    def __init__(self, pid: int) -> None:
        self.known = 0
        """An address that was readable."""
        self.fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Give the descriptor back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def lives(self) -> bool:
        """Whether any process has this address space still: of a dead one nothing is read (mem_rw, fs/proc/base.c)."""
        try:
            return bool(os.pread(self.fd, 1, self.known))
        except OSError:
            return True

    def read(self, address: int, size: int) -> bytes:
        """Exactly ``size`` bytes at ``address``; raises OSError(EFAULT) where they can't all be read."""
        if not size:
            return b""
        data = self._read(address, size)
        if len(data) != size:
            raise _fault()
        return data

    def string(self, address: int, limit: int = PATH_MAX) -> bytes:
        """The NUL-terminated bytes at ``address``; OSError(ENAMETOOLONG) when no NUL comes within ``limit``."""
        self.known = address
        data = self._read(address, _CHUNK)
        end = data.find(0)
        if end >= 0 and end < limit:
            return data[:end]
        while end < 0 and len(data) < limit:
            more = self._more(address + len(data))
            data += more
            end = data.find(0)
        if 0 <= end < limit:
            return data[:end]
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))

    def _read(self, address: int, size: int) -> bytes:
        try:
            return os.pread(self.fd, size, address)
        except OverflowError as error:
            raise _fault() from error
        except OSError as error:
            if error.errno == errno.ENOMEM:
                raise
            raise _fault() from error

    def _more(self, address: int) -> bytes:
        data = self._read(address, _PAGE - address % _PAGE)
        if not data:
            raise _fault()
        return data

    def strings(self, address: int) -> tuple[bytes, ...]:
        """The strings of a NULL-terminated pointer array, such as execve's argv; () for a null pointer.

        As execve, raises OSError(E2BIG) for too much: a thousand pointers to one long string are a thousand strings.
        """
        if not address:
            return ()
        pointers: list[int] = []
        while True:
            chunk = self._more(address)
            if len(chunk) < 8:
                chunk = self.read(address, 8)
            usable = len(chunk) // 8
            for pointer in struct.unpack(f"{usable}Q", chunk[: usable * 8]):
                if not pointer:
                    return self._gather(pointers)
                pointers.append(pointer)
            address += usable * 8
            if len(pointers) * 8 > _MAX_VECTOR:
                raise _too_big()

    def _gather(self, pointers: list[int]) -> tuple[bytes, ...]:
        """One large read serves the usual case, in which all strings lie side by side."""
        if not pointers:
            return ()
        low, high = min(pointers), max(pointers)
        block = b""
        if high - low < _MAX_VECTOR:
            try:
                block = os.pread(self.fd, high - low + _CHUNK, low)
            except (OSError, OverflowError):
                block = b""
        result: list[bytes] = []
        room = _MAX_STRINGS
        for pointer in pointers:
            offset = pointer - low
            end = block.find(0, offset, offset + _MAX_STRING) if 0 <= offset < len(block) else -1
            result.append(block[offset:end] if end >= 0 else self._long(pointer))
            room -= len(result[-1]) + 9
            if room < 0:
                raise _too_big()
        return tuple(result)

    def _long(self, address: int) -> bytes:
        """A string that isn't in the block."""
        try:
            return self.string(address, _MAX_STRING)
        except OSError as failure:
            raise _too_big() if failure.errno == errno.ENAMETOOLONG else failure from None


def write(tid: int, address: int, data: bytes) -> None:
    """``data`` stands at ``address`` of task ``tid``, page protections respected; OSError(EFAULT) where it can't."""
    buffer = ctypes.create_string_buffer(data, len(data))
    local = Iovec(ctypes.addressof(buffer), len(data))
    remote = Iovec(address, len(data))
    written = libc.process_vm_writev(tid, ctypes.byref(local), ctypes.byref(remote))
    if written != len(data):
        raise _fault()
