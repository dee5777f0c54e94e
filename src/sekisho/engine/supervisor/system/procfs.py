"""Reading /proc files in one go (proc(5)): a file object's own buffering costs more than the read."""

from __future__ import annotations

import os


def read(path: str, size: int = 8192) -> bytes:
    """At most ``size`` bytes of a /proc file; raises OSError, also when its task is gone."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, size)
    finally:
        os.close(fd)


def read_all(path: str) -> bytes:
    """A whole /proc file."""
    parts = []
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while part := os.read(fd, 65536):
            parts.append(part)
    finally:
        os.close(fd)
    return b"".join(parts)


def field(status: bytes, name: bytes) -> bytes:
    """The value of a line ``name:`` of a status file; b"" when there is none."""
    start = status.find(b"\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 2
    return status[start : status.find(b"\n", start)]


def signalled(tid: int) -> bool:
    """Whether a signal waits for task ``tid`` that it neither blocks nor ignores (proc_pid_status(5))."""
    try:
        status = read(f"/proc/{tid}/status")
    except OSError:
        return True
    sets = {name: int(field(status, name), 16) for name in (b"SigPnd", b"ShdPnd", b"SigBlk", b"SigIgn")}
    return bool((sets[b"SigPnd"] | sets[b"ShdPnd"]) & ~sets[b"SigBlk"] & ~sets[b"SigIgn"])
