"""Which mounted file system an object lies on, and how its names begin (spec f.4)."""

from __future__ import annotations

import ctypes
import os
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
PROC_SUPER_MAGIC: Final = 0x9FA0
FUSE_SUPER_MAGIC: Final = 0x65735546

PREFIXED: Final = {
    PROC_SUPER_MAGIC: "proc",
    0x1CD1: "devpts",
    0x73636673: "securityfs",
    0x64626720: "debugfs",
    0x74726163: "tracefs",
    0x62656570: "configfs",
    0x19800202: "mqueue",
    0xF97CFF8C: "selinuxfs",
    0x43415D53: "smackfs",
    0x0187: "autofs",
    0x42494E4D: "binfmt_misc",
    0x67596969: "rpc_pipefs",
    0x6165676C: "pstore",
    0xDE5E81E4: "efivarfs",
}
"""File systems without a device whose root can't rename: their names are ``FSNAME:/path``."""


class FileSystems:
    """Type and mount point by ``st_dev``, asked of the kernel once; ``forget`` when mounts have changed."""

    def __init__(self) -> None:
        self._types: dict[int, int] = {}
        self._points: list[tuple[bytes, bytes, int]] = []
        self._buffer = ctypes.create_string_buffer(256)

    def forget(self) -> None:
        """Nothing remembered from before a mount or unmount is used any more."""
        self._types.clear()
        self._points.clear()

    def type(self, fd: int, device: int) -> int:
        """``f_type`` (statfs(2)) of the file system that ``fd`` lies on; ``device`` is its st_dev."""
        known = self._types.get(device)
        if known is None:
            if _LIBC.fstatfs(fd, self._buffer) != 0:
                return 0
            known = int.from_bytes(self._buffer.raw[:8], "little")
            self._types[device] = known
        return known

    def prefixed(self, magic: int, path: bytes, device: int) -> bytes | None:
        """``path`` as ``FSNAME:/inside``, or None where names of this file system are absolute."""
        word = PREFIXED.get(magic)
        if word is None:
            return None
        for point, root, its_device in self._mounts():
            if its_device == device and (path == point or path.startswith(point.rstrip(b"/") + b"/")):
                inside = root.rstrip(b"/") + path[len(point.rstrip(b"/")) :]
                return word.encode() + b":" + (inside or b"/")
        return word.encode() + b":" + path

    def _mounts(self) -> list[tuple[bytes, bytes, int]]:
        """(mount point, root inside the file system, st_dev), longest mount point first (proc_pid_mountinfo(5))."""
        if not self._points:
            with open("/proc/self/mountinfo", "rb") as lines:
                for line in lines:
                    words = line.split()
                    major, minor = words[2].split(b":")
                    point, root = (_unescape(words[4]), _unescape(words[3]))
                    self._points.append((point, root, os.makedev(int(major), int(minor))))
            self._points.sort(key=lambda row: -len(row[0]))
        return self._points


def _unescape(word: bytes) -> bytes:
    for octal, char in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        word = word.replace(octal, char)
    return word
