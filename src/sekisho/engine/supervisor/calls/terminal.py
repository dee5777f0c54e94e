"""/dev/tty means the caller's controlling terminal, never ours."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from typing import Final

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.plan import Object
from sekisho.engine.supervisor.system import procfs

_DEV_TTY: Final = os.makedev(5, 0)
_TIOCGDEV: Final = 0x80045432
_PTS_MAJORS: Final = range(136, 144)
_NEVER_BLOCK: Final = frozenset({1, 5, 10})
"""Majors of memory devices, /dev/tty and ptmx, and miscellaneous devices."""


def may_block(status: os.stat_result) -> bool:
    """Whether opening this character device may wait (a serial line for its carrier, say)."""
    major = os.major(status.st_rdev)
    return major not in _NEVER_BLOCK and major not in _PTS_MAJORS


def controlling(call: Call, status: os.stat_result) -> Object | None:
    """The terminal itself when ``status`` is /dev/tty's, else None; OSError(ENXIO) when the caller has none."""
    if status.st_rdev != _DEV_TTY:
        return None
    with open(f"/proc/{call.tid}/stat", "rb", buffering=0) as line:
        number = int(line.read().rpartition(b")")[2].split()[4])
    if not number:
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
    device = os.makedev((number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00))
    for path in _candidates(call, device):
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        call.keep(fd)
        if os.fstat(fd).st_rdev == device:
            return call.describe(call.keep(os.dup(fd)))
    raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))


def foreground(file: int) -> int | None:
    """The foreground process group of the terminal ``file``, 0 where it has none; None for what is no terminal."""
    if not os.isatty(file):
        return None
    device = os.fstat(file).st_rdev
    if device == _DEV_TTY:
        (device,) = struct.unpack("I", fcntl.ioctl(file, _TIOCGDEV, bytes(4)))
    # A master end has none of its own, though it shows that of the other end.
    number = (os.minor(device) & 0xFF) | os.major(device) << 8 | (os.minor(device) & 0xFFF00) << 12
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            with contextlib.suppress(OSError):
                fields = procfs.read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()
                if int(fields[4]) & 0xFFFFFFFF == number:
                    return max(0, int(fields[5]))
    return 0


def _candidates(call: Call, device: int) -> list[str]:
    major, minor = os.major(device), os.minor(device)
    paths = []
    if major in _PTS_MAJORS:
        number = (major - 136) * 256 + minor
        paths += [f"/proc/{call.tid}/root/dev/pts/{number}", f"/dev/pts/{number}"]
    try:
        with open(f"/sys/dev/char/{major}:{minor}/uevent", encoding="ascii") as lines:
            paths += [f"/dev/{line[8:].strip()}" for line in lines if line.startswith("DEVNAME=")]
    except OSError:
        paths += [f"/dev/tty{minor}"] if major == 4 else []
    try:
        paths += [f"/proc/{call.tid}/fd/{fd}" for fd in os.listdir(f"/proc/{call.tid}/fd")]
    except OSError:
        return paths
    return paths
