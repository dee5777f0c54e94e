"""Mounting in a caller's place, between pinned objects."""

from __future__ import annotations

import errno
import os
from typing import Final

from sekisho.engine.supervisor.acting.here import HERE, Fd, own_entry, standing_in
from sekisho.engine.supervisor.system import libc

_FLAGS: Final = {0x1: 0x1, 0x2: 0x2, 0x4: 0x4, 0x8: 0x8, 0x400: 0x400, 0x800: 0x800, 0x1000: 0x200000, 0x2000: 0x100}
"""statfs(2)'s flags and mount(2)'s of the same meaning."""


def mount(source: bytes | None, target: Fd, kind: bytes | None, flags: int, data: bytes | None) -> int:
    """mount(2) on the directory behind ``target``."""
    with standing_in(HERE.descriptors):
        return libc.syscall("mount", source, own_entry(target), kind, flags, data)


def mount_from(source: Fd, target: Fd, kind: bytes | None, flags: int, data: bytes | None) -> int:
    """mount(2) of the object behind ``source`` (bind, move)."""
    with standing_in(HERE.descriptors):
        return libc.syscall("mount", own_entry(source), own_entry(target), kind, flags, data)


def let_go() -> int:
    """Whatever earlier actions handed over is held here no longer: that is closed once it has been sent."""
    return 0


def mount_place(mounted: Fd) -> tuple[Fd, bytes]:
    """Where the mount behind ``mounted`` stands in this process's view: a directory, and the name in it."""
    full = os.readlink(own_entry(mounted), dir_fd=HERE.descriptors)
    head, last = os.path.split(full)
    parent = os.open(head, os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        if last and not os.path.samestat(os.lstat(last, dir_fd=parent), os.fstat(mounted)):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    except OSError:
        os.close(parent)
        raise
    return Fd(parent), last or b"/"


def unmount(parent: Fd, last: bytes, flags: int) -> int:
    """umount2(2) of what is mounted on ``last`` in ``parent``; a mount point's name can't be swapped (EBUSY)."""
    with standing_in(parent):
        return libc.syscall("umount2", last, flags)


def pivot_root(new_root: Fd, put_old: Fd) -> int:
    """pivot_root(2); moves every process of the mount namespace that stands at its root."""
    with standing_in(HERE.descriptors):
        return libc.syscall("pivot_root", own_entry(new_root), own_entry(put_old))


def move_mount(source: Fd, target: Fd) -> int:
    """move_mount(2) between pinned places."""
    return libc.syscall("move_mount", int(source), b"", int(target), b"", 0x4 | 0x40)


def mount_setattr(target: Fd, flags: int, attributes: bytes) -> int:
    """mount_setattr(2) of a pinned mount."""
    return libc.syscall("mount_setattr", int(target), b"", flags | libc.AT_EMPTY_PATH, attributes, len(attributes))


def mount_flags(target: Fd) -> int:
    """The flags of a pinned mount as mount(2) takes them."""
    found = os.fstatvfs(target).f_flag
    return sum(flag for bit, flag in _FLAGS.items() if found & bit)
