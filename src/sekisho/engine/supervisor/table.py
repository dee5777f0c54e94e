"""Which system call makes which requests: one row each; adding a call is adding a row.

A row says where its arguments stand (registers, from 0) by the planner it names. ``operations``
are the profile operations it can ask for: where all of them are disabled the call runs at once.
Rows without any guard the engine itself, and look at the strictest mode of the domain.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from sekisho.engine.supervisor.calls import (
    accepting,
    attributes,
    binding,
    connecting,
    descriptors,
    entries,
    filtering,
    guards,
    mounting,
    opening,
    owners,
    process_rows,
    queues,
    receiving,
    sending,
    signals,
)
from sekisho.engine.supervisor.calls.row import Row
from sekisho.engine.supervisor.calls.shortcuts import Shortcut, Way
from sekisho.engine.supervisor.programs.executions import execute, execute_at
from sekisho.engine.supervisor.system.abi import Architecture
from sekisho.engine.supervisor.system.bpf import Where, assemble
from sekisho.policy.grammar import PROFILE_OPERATIONS


def _network(*verbs: str) -> tuple[str, ...]:
    return tuple(
        name for name in PROFILE_OPERATIONS if name.startswith("network::") and name.rsplit("_", 1)[1] in verbs
    )


def _file(*names: str) -> tuple[str, ...]:
    return tuple(f"file::{name}" for name in names)


def _files() -> Iterable[Row]:
    quick = Shortcut(0, None, (1,), Way.OPEN, use=1)
    yield Row("open", opening.open_at(0, 1, 2), opening.OPERATIONS, shortcut=quick)
    quick = Shortcut(1, 0, (2,), Way.OPEN, use=2)
    yield Row("openat", opening.open_at(1, 2, 3, dirfd=0), opening.OPERATIONS, shortcut=quick)
    yield Row("creat", opening.open_at(0, None, 1, fixed=os.O_CREAT | os.O_WRONLY | os.O_TRUNC), opening.OPERATIONS)
    yield Row("openat2", opening.open_how, opening.OPERATIONS)
    yield Row("open_by_handle_at", opening.by_handle, opening.OPERATIONS)
    yield Row("mq_open", queues.mq_open, _file("open"))
    yield Row("stat", attributes.stat(1, 0), _file("getattr"), shortcut=Shortcut(0, None, (), Way.STAT, use=1))
    yield Row(
        "lstat",
        attributes.stat(1, 0, follow=False),
        _file("getattr"),
        shortcut=Shortcut(0, None, (), Way.STAT, 1, nofollow=True),
    )
    yield Row("fstat", attributes.stat(1, dirfd=0), _file("getattr"), shortcut=Shortcut(None))
    quick = Shortcut(1, 0, (3,), Way.STAT, use=2, at_flags=3)
    yield Row("newfstatat", attributes.stat(2, 1, 0, 3), _file("getattr"), shortcut=quick)
    yield Row(
        "statx", attributes.statx, _file("getattr"), shortcut=Shortcut(1, 0, (2, 3), Way.STATX, use=4, at_flags=2)
    )
    yield Row("unlink", entries.unlink(0), _file("unlink"), mutates=True)
    yield Row("unlinkat", entries.unlink(1, 0, 2), _file("unlink", "rmdir"), mutates=True)
    yield Row("rmdir", entries.unlink(0, directory=True), _file("rmdir"), mutates=True)
    yield Row("mkdir", entries.mkdir(0, 1), _file("mkdir"), mutates=True)
    yield Row("mkdirat", entries.mkdir(1, 2, 0), _file("mkdir"), mutates=True)
    nodes = _file("create", "mkfifo", "mksock", "mkblock", "mkchar")
    yield Row("mknod", entries.mknod(0, 1, 2), nodes, mutates=True)
    yield Row("mknodat", entries.mknod(1, 2, 3, 0), nodes, mutates=True)
    yield Row("symlink", entries.symlink(0, 1), _file("symlink"), mutates=True)
    yield Row("symlinkat", entries.symlink(0, 2, 1), _file("symlink"), mutates=True)
    yield Row("link", entries.link(0, 1), _file("link"), mutates=True)
    yield Row("linkat", entries.link(1, 3, 0, 2, 4), _file("link"), mutates=True)
    yield Row("rename", entries.rename(0, 1), _file("rename"), mutates=True)
    yield Row("renameat", entries.rename(1, 3, 0, 2), _file("rename"), mutates=True)
    yield Row("renameat2", entries.rename(1, 3, 0, 2, 4), _file("rename"), mutates=True)
    yield Row("chroot", entries.chroot, _file("chroot"), mutates=True)


def _attributes() -> Iterable[Row]:
    yield Row("chmod", attributes.chmod(1, 0), _file("chmod"))
    yield Row("fchmod", attributes.chmod(1, dirfd=0), _file("chmod"))
    yield Row("fchmodat", attributes.chmod(2, 1, 0), _file("chmod"))
    yield Row("fchmodat2", attributes.chmod(2, 1, 0, 3), _file("chmod"))
    owner = _file("chown", "chgrp")
    yield Row("chown", attributes.chown(1, 2, 0), owner)
    yield Row("lchown", attributes.chown(1, 2, 0, follow=False), owner)
    yield Row("fchown", attributes.chown(1, 2, dirfd=0), owner)
    yield Row("fchownat", attributes.chown(2, 3, 1, 0, 4), owner)
    yield Row("truncate", attributes.truncate(1, 0), _file("truncate"))
    yield Row("ftruncate", attributes.truncate(1, fd=0), _file("truncate"))
    yield Row(
        "ioctl",
        descriptors.ioctl,
        (*_file("ioctl"), *signals.OPERATIONS),
        shortcut=Shortcut(None, None, (1,)),
        guard=guards.owner,
    )
    yield Row(
        "fcntl",
        descriptors.control,
        (*_file("open"), *signals.OPERATIONS),
        (Where(1, (descriptors.F_SETFL, *owners.COMMANDS)),),
        guard=guards.owner,
    )


def _mounts() -> Iterable[Row]:
    one = _file("mount")
    yield Row("mount", mounting.mount, one, mutates=True)
    yield Row("umount2", mounting.unmount, _file("unmount"), mutates=True)
    yield Row("pivot_root", mounting.pivot_root, _file("pivot_root"), mutates=True)
    yield Row("move_mount", mounting.move_mount, one, mutates=True)
    yield Row("open_tree", mounting.open_tree, one, mutates=True)
    yield Row("mount_setattr", mounting.mount_setattr, one, mutates=True)
    yield Row("fspick", mounting.fspick, one, mutates=True)


def _programs() -> Iterable[Row]:
    executing = ("file::execute", "file::open", "misc::env")
    yield Row("execve", execute, executing, always=True)
    yield Row("execveat", execute_at, executing, always=True)


def _sockets() -> Iterable[Row]:
    yield Row("bind", binding.bind, (*_network("bind"), "file::mksock"), mutates=True)
    yield Row("listen", binding.listen, _network("listen"))
    yield Row("connect", connecting.connect, _network("connect", "send"))
    sends = _network("send", "connect")
    yield Row("sendto", sending.sendto, sends, (Where(4, nonzero=True), Where(3, bits=sending.MSG_FASTOPEN)))
    yield Row("sendmsg", sending.sendmsg, sends)
    yield Row("sendmmsg", sending.sendmmsg, sends)
    yield Row("accept", accepting.accept(), _network("accept"))
    yield Row("accept4", accepting.accept(flags=3), _network("accept"))
    yield Row("recvfrom", receiving.recvfrom, _network("recv"), (Where(4, nonzero=True),))
    yield Row("recvmsg", receiving.recvmsg, _network("recv"))
    yield Row("setsockopt", filtering.set_option, _network("recv"), (filtering.FILTERING,))
    yield Row("recvmmsg", receiving.recvmmsg, _network("recv"))


def rows(*, privileged: bool) -> list[Row]:
    """Every row, for a supervisor that holds rights above its callers' or not."""
    parts = [_files(), _attributes(), _mounts(), _programs(), _sockets()]
    return [row for part in parts for row in part] + process_rows.rows(privileged=privileged)


def by_number(table: Iterable[Row], architecture: Architecture) -> dict[int, Row]:
    """The rows by system call number, without those that this architecture hasn't got."""
    return {architecture.numbers[row.name]: row for row in table if row.name in architecture.numbers}


def program(table: dict[int, Row], architecture: Architecture) -> bytes:
    """The kernel's filter for these rows."""
    return assemble(architecture.audit, architecture.foreign_bit, {number: row.where for number, row in table.items()})
