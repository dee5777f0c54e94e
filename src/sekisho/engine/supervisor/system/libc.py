"""System calls that Python doesn't wrap, as thin typed functions that raise OSError."""

from __future__ import annotations

import ctypes
import errno
import os
from functools import lru_cache
from typing import Any, Final

from sekisho.engine.supervisor.system import abi

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_SYSCALL: Final = _LIBC.syscall
_SYSCALL.restype = ctypes.c_long
_ARCHITECTURE: Final = abi.native()
NUMBERS: Final = _ARCHITECTURE.numbers if _ARCHITECTURE else {}

O_PATH: Final = os.O_PATH
AT_FDCWD: Final = -100
AT_SYMLINK_NOFOLLOW: Final = 0x100
AT_SYMLINK_FOLLOW: Final = 0x400
AT_EMPTY_PATH: Final = 0x1000
AT_NO_AUTOMOUNT: Final = 0x800
_PTRACE_GETEVENTMSG: Final = 0x4201
SIGNAL_SET: Final = 128
"""sizeof(sigset_t)."""
RESOLVE_NO_MAGICLINKS: Final = 0x02
RESOLVE_NO_SYMLINKS: Final = 0x04
RESOLVE_BOUND: Final = 0x08 | 0x10
"""RESOLVE_BENEATH and RESOLVE_IN_ROOT: the directory counts for absolute paths, too."""


def _error() -> OSError:
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code))


def syscall(name: str, *arguments: Any) -> int:
    """Result of the raw system call; raises OSError with its errno. Integers pass as longs, bytes as pointers."""
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_SYSCALL(ctypes.c_long(NUMBERS[name]), *converted))
    if result == -1:
        raise _error()
    return result


def prctl(option: int, argument: int = 0, third: int = 0, fourth: int = 0, fifth: int = 0) -> int:
    """prctl(2)."""
    result = int(_LIBC.prctl(option, *(ctypes.c_ulong(a) for a in (argument, third, fourth, fifth))))
    if result == -1:
        raise _error()
    return result


def signal_mask(how: int, mask: bytes) -> bytes:
    """The calling thread's former mask of blocked signals, changed by ``mask`` as pthread_sigmask(3) reads it.

    Python's own lists what is blocked, one object for each signal: fifty times as slow.
    """
    former = ctypes.create_string_buffer(SIGNAL_SET)
    code = int(_LIBC.pthread_sigmask(how, mask, former))
    if code:
        raise OSError(code, os.strerror(code))
    return former.raw


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    """ptrace(2), for requests whose result isn't data."""
    result = int(
        _LIBC.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(address), ctypes.c_void_p(data))
    )
    if result == -1:
        raise _error()
    return result


def event_message(pid: int) -> int:
    """What belongs to the last ptrace event of the stopped ``pid`` (PTRACE_GETEVENTMSG)."""
    message = ctypes.c_ulong()
    ptrace(_PTRACE_GETEVENTMSG, pid, 0, ctypes.addressof(message))
    return message.value


def process_vm_writev(pid: int, local: Any, remote: Any) -> int:
    """process_vm_writev(2) with one vector each side; returns the bytes written, 0 on any error."""
    return max(0, int(_LIBC.process_vm_writev(pid, local, 1, remote, 1, 0)))


def signalfd(number: int) -> int:
    """A descriptor that becomes readable when the (blocked) signal ``number`` comes (signalfd(2))."""
    mask = ctypes.create_string_buffer((1 << (number - 1)).to_bytes(8, "little"), 128)
    fd = int(_LIBC.signalfd(-1, mask, os.O_CLOEXEC | os.O_NONBLOCK))
    if fd < 0:
        raise _error()
    return fd


_OPENAT2: Final = ctypes.CFUNCTYPE(
    ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_long, use_errno=True
)(("syscall", _LIBC))
_OPENAT2_NR: Final = NUMBERS.get("openat2", 437)


class OpenHow:
    """A prepared ``struct open_how``, so that one call costs no packing."""

    __slots__ = ("_buffer", "address")

    def __init__(self, flags: int, resolve: int, mode: int = 0) -> None:
        raw = b"".join(v.to_bytes(8, "little") for v in (flags, mode, resolve))
        self._buffer = ctypes.create_string_buffer(raw, 24)
        self.address = ctypes.addressof(self._buffer)


def openat2(dirfd: int, path: bytes, how: OpenHow) -> int:
    """A new descriptor (openat2(2)); raises OSError."""
    fd: int = _OPENAT2(_OPENAT2_NR, dirfd, path, how.address, 24)
    if fd < 0:
        raise _error()
    return fd


def openat2_refuses(flags: int, mode: int, resolve: int) -> int:
    """The errno with which the kernel refuses these members of ``struct open_how`` before any lookup, else 0."""
    try:
        os.close(openat2(-1, b"", OpenHow(flags, resolve, mode)))
    except OSError as error:
        return error.errno if error.errno in (errno.EINVAL, errno.E2BIG, errno.EAGAIN) else 0
    return 0


@lru_cache(maxsize=1024)
def open_refuses(flags: int) -> int:
    """The errno with which the kernel refuses these flags of open(2) before any lookup, else 0."""
    try:
        syscall("openat", -1, b"x", flags, 0)
    except OSError as error:
        return error.errno if error.errno == errno.EINVAL else 0
    return 0


_PIDFD_THREAD: Final = os.O_EXCL


def pidfd_getfd(pidfd: int, fd: int) -> int:
    """A duplicate of ``fd`` of the process behind ``pidfd`` (pidfd_getfd(2))."""
    return syscall("pidfd_getfd", pidfd, fd, 0)


def thread_getfd(tid: int, fd: int) -> int:
    """A duplicate of ``fd`` of thread ``tid``, whose descriptors needn't be those of its process (unshare(2))."""
    try:
        thread = os.pidfd_open(tid, _PIDFD_THREAD)
    except OSError as failure:
        if failure.errno != errno.EINVAL:
            raise
        return _leader_getfd(tid, fd)
    try:
        return pidfd_getfd(thread, fd)
    finally:
        os.close(thread)


def _leader_getfd(tid: int, fd: int) -> int:
    """The same before Linux 6.9, where only the descriptors of a process's first thread can be had."""
    with open(f"/proc/{tid}/status", "rb") as lines:
        leader = os.pidfd_open(next(int(line.split()[1]) for line in lines if line.startswith(b"Tgid:")))
    try:
        taken = pidfd_getfd(leader, fd)
    finally:
        os.close(leader)
    try:
        if os.path.samestat(os.fstat(taken), os.stat(f"/proc/{tid}/fd/{fd}")):
            return taken
    except OSError:
        pass
    os.close(taken)
    raise OSError(errno.EBADF, os.strerror(errno.EBADF))


@lru_cache(maxsize=1)
def null_is_empty() -> bool:
    """Whether stat(2)'s kin take a null pointer for an empty path where AT_EMPTY_PATH is given (Linux 6.11)."""
    room = ctypes.create_string_buffer(256)
    try:
        syscall("newfstatat", AT_FDCWD, None, room, AT_EMPTY_PATH)
    except OSError:
        return False
    return True


_NEWFSTATAT: Final = ctypes.CFUNCTYPE(
    ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_long, use_errno=True
)(("syscall", _LIBC))
_STAT: Final = ctypes.create_string_buffer(256)
_STAT_ADDRESS: Final = ctypes.addressof(_STAT)


def fstat_raw(fd: int, size: int) -> bytes:
    """The kernel's own ``struct stat`` (``size`` bytes) of the object behind ``fd``, O_PATH or not."""
    if _NEWFSTATAT(NUMBERS["newfstatat"], fd, b"", _STAT_ADDRESS, AT_EMPTY_PATH) < 0:
        raise _error()
    return ctypes.string_at(_STAT_ADDRESS, size)


_STATX_MNT_ID: Final = 0x1000


def mount_id(fd: int) -> int:
    """The number of the mount that ``fd`` was reached through (statx(2))."""
    return int.from_bytes(statx_raw(fd, 0, _STATX_MNT_ID)[0x90:0x98], "little")


_STATX: Final = ctypes.CFUNCTYPE(
    ctypes.c_long,
    ctypes.c_long,
    ctypes.c_long,
    ctypes.c_char_p,
    ctypes.c_long,
    ctypes.c_long,
    ctypes.c_void_p,
    use_errno=True,
)(("syscall", _LIBC))


def statx_raw(fd: int, flags: int, mask: int) -> bytes:
    """The kernel's own ``struct statx`` of the object behind ``fd``, O_PATH or not."""
    flags = (flags & ~AT_SYMLINK_NOFOLLOW) | AT_EMPTY_PATH
    if _STATX(NUMBERS["statx"], fd, b"", flags, mask, _STAT_ADDRESS) < 0:
        raise _error()
    return ctypes.string_at(_STAT_ADDRESS, 256)
