"""With whose rights and view a call is performed, and how a process takes them on."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from typing import Final

from sekisho.engine.supervisor import libc
from sekisho.decide.request import Task

_CAPABILITY_V3: Final = 0x20080522
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_SECUREBITS: Final = 28
_NO_FIXUP: Final = 0x4 | 0x10
"""SECBIT_NO_SETUID_FIXUP and KEEP_CAPS: changing ids leaves capabilities to us."""
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
    fields: dict[bytes, bytes] = {}
    with open(f"/proc/{tid}/status", "rb", buffering=0) as status:
        for line in status.read(8192).split(b"\n"):
            key, _, value = line.partition(b":")
            fields[key] = value
    root = os.stat(f"/proc/{tid}/root")
    uids, gids = (tuple(int(word) for word in fields[key].split()) for key in (b"Uid", b"Gid"))
    return Identity(
        uids=(uids[0], uids[1], uids[2], uids[3]),
        gids=(gids[0], gids[1], gids[2], gids[3]),
        groups=tuple(int(word) for word in fields[b"Groups"].split()),
        capabilities=int(fields[b"CapEff"], 16),
        user_namespace=os.readlink(f"/proc/{tid}/ns/user"),
        mount_namespace=os.readlink(f"/proc/{tid}/ns/mnt"),
        root=(root.st_dev, root.st_ino),
    )


def umask_of(tid: int) -> int:
    """The umask of task ``tid``."""
    with open(f"/proc/{tid}/status", "rb", buffering=0) as status:
        for line in status.read(256).split(b"\n"):
            if line.startswith(b"Umask:"):
                return int(line[6:], 8)
    return 0o022


def enter(wanted: Identity, own: Identity, tid: int, root: int) -> None:
    """This (single-threaded) process acts as ``wanted`` from now on; OSError when it may not.

    Task ``tid`` has that identity; ``root`` is an O_PATH descriptor of its root directory.
    """
    spaces = []
    if wanted.user_namespace != own.user_namespace:
        spaces.append((CLONE_NEWUSER, os.open(f"/proc/{tid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)))
    if wanted.mount_namespace != own.mount_namespace:
        spaces.append((CLONE_NEWNS, os.open(f"/proc/{tid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)))
    for kind, fd in spaces:
        libc.syscall("setns", fd, kind)
    if wanted.root != own.root:
        os.fchdir(root)
        os.chroot(".")
        os.chdir("/")
    if (wanted.uids, wanted.gids, wanted.groups, wanted.capabilities) != (own.uids, own.gids, own.groups, own.capabilities):
        _become(wanted, spaced=bool(spaces) and spaces[0][0] == CLONE_NEWUSER, tid=tid)


def _become(wanted: Identity, *, spaced: bool, tid: int) -> None:
    uid, gid = _Map(tid, "uid", spaced), _Map(tid, "gid", spaced)
    if not spaced:
        libc.prctl(_PR_SET_SECUREBITS, _NO_FIXUP)
        os.setgroups(list(wanted.groups))
    libc.prctl(_PR_SET_KEEPCAPS, 1)
    libc.syscall("setresgid", *(gid.inside(wanted.gids[i]) for i in (0, 1, 2)))
    libc.syscall("setfsgid", gid.inside(wanted.gids[3]))
    libc.syscall("setresuid", *(uid.inside(wanted.uids[i]) for i in (0, 1, 2)))
    libc.syscall("setfsuid", uid.inside(wanted.uids[3]))
    set_capabilities(wanted.capabilities)


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
