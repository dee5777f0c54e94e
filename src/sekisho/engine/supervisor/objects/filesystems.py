"""Which mounted file system an object lies on, and how its names begin (spec f.4)."""

from __future__ import annotations

import ctypes
import os
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
PROC_SUPER_MAGIC: Final = 0x9FA0
FUSE_SUPER_MAGIC: Final = 0x65735546
_BTRFS: Final = 0x9123683E

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


_SERVED: Final = frozenset(
    b"9p afs ceph cifs coda fuse fuseblk gfs2 nfs nfs4 ocfs2 orangefs smb3 vboxsf virtiofs".split()
)
_Mount = tuple[bytes, bytes, int]
"""(mount point, root inside the file system, st_dev)."""


class FileSystems:
    """Type and mount point by ``st_dev``; what is mounted in our own view is asked of the kernel once.

    ``forget`` must be called when mounts have changed. Who can't be told of that sets ``watched`` to False:
    ``st_dev`` of a file system that is gone may soon be another's, so nothing is remembered then.
    """

    def __init__(self) -> None:
        self.watched = True
        self.protected_symlinks = _protects_symlinks()
        self._types: dict[int, int] = {}
        self._points: list[_Mount] = []
        self._local: frozenset[int] | None = None
        self._buffer = ctypes.create_string_buffer(256)

    def forget(self) -> None:
        """Nothing remembered from before a mount or unmount is used any more."""
        self._types.clear()
        self._points.clear()
        self._local = None

    def type(self, fd: int, device: int) -> int:
        """``f_type`` (statfs(2)) of the file system that ``fd`` lies on; ``device`` is its st_dev."""
        known = self._types.get(device)
        if known is None:
            if _LIBC.fstatfs(fd, self._buffer) != 0:
                return 0
            known = int.from_bytes(self._buffer.raw[:8], "little")
            if self.watched and any(device == own for _, _, own in self._mounts()):
                self._types[device] = known
        return known

    def is_local(self, fd: int, device: int) -> bool:
        """Whether ``fd`` lies on a file system that is mounted in our view and that nobody else serves."""
        if self._local is None:
            elsewhere = served()
            self._local = frozenset(own for _, _, own in self._mounts() if own not in elsewhere)
        # stat(2) shows a device for each subvolume of btrfs, mountinfo one that no file has.
        return device in self._local or (self.type(fd, device) == _BTRFS and device not in served())

    def prefixed(self, magic: int, path: bytes, device: int, pid: int = 0) -> bytes | None:
        """``path`` as ``FSNAME:/inside``, or None where names of this file system are absolute.

        Where it isn't mounted in our view, process ``pid`` is asked for its own.
        """
        word = PREFIXED.get(magic)
        if word is None:
            return None
        inside = _inside(self._mounts(), path, device)
        if inside is None and pid:
            try:
                inside = _inside(_read_mounts(f"/proc/{pid}/mountinfo"), path, device)
            except OSError:
                pass
        return word.encode() + b":" + (inside or path)

    def _mounts(self) -> list[_Mount]:
        if not self._points:
            self._points = _read_mounts("/proc/self/mountinfo")
        return self._points


def served() -> frozenset[int]:
    """``st_dev`` of each mounted file system of which another machine or program says what there is.

    One file may be a new inode there whenever it is looked up. statfs(2) doesn't tell: 9p answers with the type of what
    lies at the other end.
    """
    found = set()
    with open("/proc/self/mountinfo", "rb") as lines:
        for line in lines:
            words = line.split()
            if words[words.index(b"-") + 1].partition(b".")[0] in _SERVED:
                major, minor = words[2].split(b":")
                found.add(os.makedev(int(major), int(minor)))
    return frozenset(found)


def _protects_symlinks() -> bool:
    """Whether links of strangers in sticky directories aren't followed (proc_sys_fs(5))."""
    try:
        with open("/proc/sys/fs/protected_symlinks", "rb") as setting:
            return setting.read().strip() != b"0"
    except OSError:
        return True


def _read_mounts(path: str) -> list[_Mount]:
    """What a view holds, the longest mount point first (proc_pid_mountinfo(5))."""
    found = []
    with open(path, "rb") as lines:
        for line in lines:
            words = line.split()
            major, minor = words[2].split(b":")
            found.append((_unescape(words[4]), _unescape(words[3]), os.makedev(int(major), int(minor))))
    found.sort(key=lambda row: -len(row[0]))
    return found


def _inside(mounts: list[_Mount], path: bytes, device: int) -> bytes | None:
    """Where in the file system ``device`` the object at ``path`` stands; None where that isn't mounted there."""
    for point, root, its_device in mounts:
        if its_device == device and (path == point or path.startswith(point.rstrip(b"/") + b"/")):
            return root.rstrip(b"/") + path[len(point.rstrip(b"/")) :] or b"/"
    return None


def _unescape(word: bytes) -> bytes:
    for octal, char in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        word = word.replace(octal, char)
    return word
