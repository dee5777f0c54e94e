"""Canonical names of the objects behind descriptors, as TOMOYO builds them (spec f.4)."""

from __future__ import annotations

import os
import re
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISLNK, S_ISREG
from typing import Final

from sekisho.decide.request import FileType, Inode
from sekisho.engine.supervisor.objects.filesystems import FileSystems
from sekisho.engine.supervisor.system import libc
from sekisho.names.word import encode

_DELETED: Final = b" (deleted)"
_NEVER_NAMED: Final = (b"/memfd:", b"/SYSV")
"""Memory that looks like a file: the kernel calls it deleted, and TOMOYO does too."""
_OWN_PID: Final = re.compile(rb"proc:/(\d+)(?=/|$)")
_REMEMBERED: Final = 20000
_DONT_SYNC, _INO = 0x4000, 0x100
"""AT_STATX_DONT_SYNC, STATX_INO."""
Identity = tuple[bytes, bytes, bytes]
"""Path as /proc says it, device and inode number as the kernel knows them."""


class Namer:
    """Turns descriptors of ours into the words that policy is written in."""

    def __init__(self, filesystems: FileSystems) -> None:
        self.filesystems = filesystems
        self._encoded: dict[bytes, str] = {}

    def name(self, fd: int, path: bytes, status: os.stat_result, own_pid: int) -> str:
        """The encoded canonical name of the object behind ``fd``, whose raw path is ``path``."""
        magic = self.filesystems.type(fd, status.st_dev)
        return self.spell(path, magic, status.st_dev, own_pid, S_ISDIR(status.st_mode))

    def child(self, parent: int, status: os.stat_result, last: bytes, own_pid: int, *, directory: bool) -> str:
        """The name that ``last`` has, or would have, in the directory behind ``parent``."""
        path = raw_path(parent)
        magic = self.filesystems.type(parent, status.st_dev)
        whole = (b"" if path == b"/" else path) + b"/" + last
        return self.spell(whole, magic, status.st_dev, own_pid, directory)

    def spell(self, path: bytes, magic: int, device: int, own_pid: int, directory: bool) -> str:
        """``path`` encoded, with the file system's prefix, ``proc:/self`` and the final ``/`` of a directory."""
        if not path.startswith(b"/"):
            return self.encode(path)
        prefixed = self.filesystems.prefixed(magic, path, device, own_pid)
        if prefixed is not None:
            path = _OWN_PID.sub(lambda m: b"proc:/self" if int(m[1]) == own_pid else m[0], prefixed)
        if directory and not path.endswith(b"/"):
            path += b"/"
        return self.encode(path)

    def encode(self, raw: bytes) -> str:
        """``raw`` as a policy word (spec f.1); remembered, since the same names come again and again."""
        word = self._encoded.get(raw)
        if word is None:
            if len(self._encoded) > _REMEMBERED:
                self._encoded.clear()
            word = self._encoded[raw] = encode(raw)
        return word


def raw_path(fd: int) -> bytes:
    """What /proc says of our descriptor, a deleted file under the name it had."""
    path = os.readlink(b"/proc/self/fd/%d" % fd)
    if path.endswith(_DELETED) and not path.startswith(_NEVER_NAMED) and not _still_there(fd, path):
        return path[: -len(_DELETED)]
    return path


def identity(fd: int) -> Identity:
    """What tells the object behind our descriptor from others; nobody who serves its file system is asked."""
    data = libc.statx_raw(fd, _DONT_SYNC, _INO)
    return os.readlink(b"/proc/self/fd/%d" % fd), data[0x88:0x90], data[0x20:0x28]


def _still_there(fd: int, path: bytes) -> bool:
    try:
        named, held = os.lstat(path), os.fstat(fd)
    except OSError:
        return False
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def inode(status: os.stat_result) -> Inode:
    """A stat result as the facts that conditions look at."""
    mode = status.st_mode
    device = S_ISBLK(mode) or S_ISCHR(mode)
    return Inode(
        uid=status.st_uid,
        gid=status.st_gid,
        ino=status.st_ino,
        major=os.major(status.st_dev),
        minor=os.minor(status.st_dev),
        perm=mode & 0o7777,
        type=_type(mode),
        dev_major=os.major(status.st_rdev) if device else None,
        dev_minor=os.minor(status.st_rdev) if device else None,
    )


def _type(mode: int) -> FileType:
    for test, kind in (
        (S_ISREG, FileType.FILE),
        (S_ISDIR, FileType.DIRECTORY),
        (S_ISLNK, FileType.SYMLINK),
        (S_ISCHR, FileType.CHAR),
        (S_ISBLK, FileType.BLOCK),
        (S_ISFIFO, FileType.FIFO),
    ):
        if test(mode):
            return kind
    return FileType.SOCKET
