"""With whose rights and view a call is performed, and how a process takes them on."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sekisho.decide.request import Task
from sekisho.engine.supervisor.system import libc, procfs

_CAPABILITY_V3: Final = 0x20080522
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_SECUREBITS: Final = 28
_NO_FIXUP: Final = 0x4 | 0x10
"""SECBIT_NO_SETUID_FIXUP and KEEP_CAPS: changing ids leaves capabilities to us."""
_SET_IDS: Final = 0b11 << 6
"""CAP_SETGID and CAP_SETUID."""
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNS: Final = 0x00020000


@dataclass(frozen=True, slots=True)
class Identity:
    """Ids, groups, effective capabilities, user and mount namespace and root directory of one task."""

    uids: tuple[int, int, int, int]
    gids: tuple[int, int, int, int]
    groups: tuple[int, ...]
    capabilities: int
    user_namespace: str
    mount_namespace: str
    root: tuple[int, int]

    def task(self, pid: int, ppid: int, global_pid: int) -> Task:
        """The ids as conditions and audit records show them."""
        uid, euid, suid, fsuid = self.uids
        gid, egid, sgid, fsgid = self.gids
        return Task(pid, ppid, uid, gid, euid, egid, suid, sgid, fsuid, fsgid, global_pid)


def of(tid: int) -> Identity:
    """The identity of task ``tid`` now (proc_pid_status(5)); OSError when it is gone or hidden from us."""
    status = procfs.read(f"/proc/{tid}/status")
    root = os.stat(f"/proc/{tid}/root")
    uids, gids = (tuple(map(int, procfs.field(status, key).split())) for key in (b"Uid", b"Gid"))
    return Identity(
        uids=(uids[0], uids[1], uids[2], uids[3]),
        gids=(gids[0], gids[1], gids[2], gids[3]),
        groups=tuple(map(int, procfs.field(status, b"Groups").split())),
        capabilities=int(procfs.field(status, b"CapEff"), 16),
        user_namespace=os.readlink(f"/proc/{tid}/ns/user"),
        mount_namespace=os.readlink(f"/proc/{tid}/ns/mnt"),
        root=(root.st_dev, root.st_ino),
    )


def umask_of(tid: int) -> int:
    """The umask of task ``tid``."""
    return int(procfs.field(procfs.read(f"/proc/{tid}/status", 256), b"Umask"), 8)


def enter(wanted: Identity, own: Identity, tid: int, root: int) -> None:
    """This (single-threaded) process acts as ``wanted`` from now on; OSError when it may not.

    Task ``tid`` has that identity; ``root`` is an O_PATH descriptor of its root directory.
    """
    outer = own.capabilities & _SET_IDS == _SET_IDS
    if outer:
        # Ids as we know them, while we have every right: the caller's user namespace may have no name for them yet.
        libc.prctl(_PR_SET_SECUREBITS, _NO_FIXUP)
        _take_ids(wanted, own, _same, _same)
    spaced = wanted.user_namespace != own.user_namespace
    spaces = []
    if spaced:
        spaces.append((CLONE_NEWUSER, os.open(f"/proc/{tid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)))
    if wanted.mount_namespace != own.mount_namespace:
        spaces.append((CLONE_NEWNS, os.open(f"/proc/{tid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)))
    for kind, fd in spaces:
        libc.syscall("setns", fd, kind)
        os.close(fd)
    if wanted.root != own.root:
        os.fchdir(root)
        os.chroot(".")
        os.chdir("/")
    if not outer:
        _take_ids(wanted, own, _Map(tid, "uid", spaced).inside, _Map(tid, "gid", spaced).inside)
    if spaced or wanted.capabilities != own.capabilities:
        set_capabilities(wanted.capabilities)


def _same(number: int) -> int:
    return number


def _take_ids(wanted: Identity, own: Identity, uid: Callable[[int], int], gid: Callable[[int], int]) -> None:
    """Groups and ids that differ from ours are taken on, under the numbers that ``uid`` and ``gid`` give them."""
    if wanted.groups != own.groups:
        os.setgroups([gid(group) for group in wanted.groups])
    if wanted.gids != own.gids:
        libc.syscall("setresgid", *(gid(number) for number in wanted.gids[:3]))
        libc.syscall("setfsgid", gid(wanted.gids[3]))
    if wanted.uids != own.uids:
        libc.prctl(_PR_SET_KEEPCAPS, 1)
        libc.syscall("setresuid", *(uid(number) for number in wanted.uids[:3]))
        libc.syscall("setfsuid", uid(wanted.uids[3]))


class _Map:
    """Ids as a user namespace knows them (user_namespaces(7), uid_map)."""

    def __init__(self, tid: int, kind: str, spaced: bool) -> None:
        self.rows: list[tuple[int, int, int]] = []
        if spaced:
            with open(f"/proc/{tid}/{kind}_map", encoding="ascii") as lines:
                self.rows = [(int(a), int(b), int(c)) for a, b, c in (line.split() for line in lines)]

    def inside(self, outside: int) -> int:
        if not self.rows:
            return outside
        for first, lower, count in self.rows:
            if lower <= outside < lower + count:
                return first + outside - lower
        return -1


def set_capabilities(effective: int) -> None:
    """Effective and permitted capabilities are exactly ``effective`` (capset(2))."""
    header = struct.pack("Ii", _CAPABILITY_V3, 0)
    low, high = effective & 0xFFFFFFFF, effective >> 32
    data = struct.pack("6I", low, low, 0, high, high, 0)
    libc.syscall("capset", ctypes.create_string_buffer(header, 8), ctypes.create_string_buffer(data, 24))
