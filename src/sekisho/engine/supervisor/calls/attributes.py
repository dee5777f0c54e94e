"""Calls that read or change a file's attributes: stat, chmod, chown, truncate."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from stat import S_ISLNK

from sekisho.decide.request import Request
from sekisho.engine.supervisor.acting.actions import STATX_SIZE, Fd
from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import limits
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts, Object, Plan
from sekisho.engine.supervisor.system import libc

Planner = Callable[[Call], Plan | Answer]
STAT_SIZE = 144 if os.uname().machine == "x86_64" else 128
_STATX_FLAGS = 0x6000
_STAT_FLAGS = libc.AT_SYMLINK_NOFOLLOW | libc.AT_EMPTY_PATH | 0x800
_KEEP = 0xFFFFFFFF


def _facts(call: Call, found: Object) -> CallFacts:
    return CallFacts(call, path1=found)


def _target(
    call: Call, path: int | None, dirfd: int | None, flags: int, *, follow: bool = True, null: bool = False
) -> Object:
    """The object that a path argument, or with AT_EMPTY_PATH or no path at all a descriptor, means; with ``null`` a
    null pointer may do for an empty path."""
    start = libc.AT_FDCWD if dirfd is None else call.args[dirfd]
    if path is None:
        return call.describe(call.descriptor(start))
    empty = not call.args[path] and flags & libc.AT_EMPTY_PATH and null and libc.null_is_empty()
    text = b"" if empty else call.string(call.args[path])
    if not text and flags & libc.AT_EMPTY_PATH:
        if signed(start) == libc.AT_FDCWD:
            return call.describe(call.cwd())
        return call.describe(call.descriptor(start))
    return call.object(start, text, follow=follow and not flags & libc.AT_SYMLINK_NOFOLLOW)


def stat(
    buffer: int, path: int | None = None, dirfd: int | None = None, flags: int | None = None, *, follow: bool = True
) -> Planner:
    """stat(2), lstat(2), fstat(2), fstatat(2): the caller's buffer is filled with what the checked object has."""

    def plan(call: Call) -> Plan | Answer:
        wanted = call.args[flags] & 0xFFFFFFFF if flags is not None else 0
        if wanted & ~_STAT_FLAGS:
            return -errno.EINVAL
        found = _target(call, path, dirfd, wanted, follow=follow, null=True)

        def perform() -> Answer:
            if path is None and not call.process.shares_files:
                return PROCEED
            call.write(call.args[buffer], call.run("getattr_stat", found.fd, STAT_SIZE))
            return 0

        return Plan([_getattr(call, found)], perform)

    return plan


def statx(call: Call) -> Plan | Answer:
    """statx(2)."""
    flags, mask, buffer = call.args[2] & 0xFFFFFFFF, call.args[3] & 0xFFFFFFFF, call.args[4]
    if flags & ~(_STAT_FLAGS | _STATX_FLAGS):
        return -errno.EINVAL
    found = _target(call, 1, 0, flags, null=True)

    def perform() -> Answer:
        data: bytes = call.run("getattr_statx", found.fd, flags, mask)
        call.write(buffer, data[:STATX_SIZE])
        return 0

    return Plan([_getattr(call, found)], perform)


def _getattr(call: Call, found: Object) -> Request:
    return call.request("file getattr", found.name, facts=_facts(call, found))


def chmod(mode: int, path: int | None = None, dirfd: int | None = None, flags: int | None = None) -> Planner:
    """chmod(2), fchmod(2), fchmodat(2), fchmodat2(2)."""

    def plan(call: Call) -> Plan | Answer:
        wanted = call.args[flags] & 0xFFFFFFFF if flags is not None else 0
        if wanted & ~(libc.AT_SYMLINK_NOFOLLOW | libc.AT_EMPTY_PATH):
            return -errno.EINVAL
        found = _target(call, path, dirfd, wanted) if path is not None else call.open_file(call.args[dirfd or 0])
        bits = call.args[mode] & 0o7777
        if path is not None and S_ISLNK(found.status.st_mode):
            return -errno.EOPNOTSUPP
        request = call.request("file chmod", found.name, bits, facts=_facts(call, found))
        if path is None:
            return Plan([request], lambda: int(call.run("fchmod", found.fd, bits)))
        return Plan([request], lambda: int(call.run("chmod", found.fd, bits)))

    return plan


def chown(
    uid: int,
    gid: int,
    path: int | None = None,
    dirfd: int | None = None,
    flags: int | None = None,
    *,
    follow: bool = True,
) -> Planner:
    """chown(2), lchown(2), fchown(2), fchownat(2): owner and group are asked for separately, −1 not at all."""

    def plan(call: Call) -> Plan | Answer:
        wanted = call.args[flags] & 0xFFFFFFFF if flags is not None else 0
        if wanted & ~(libc.AT_SYMLINK_NOFOLLOW | libc.AT_EMPTY_PATH):
            return -errno.EINVAL
        if path is None:
            found = call.open_file(call.args[dirfd or 0])
        else:
            found = _target(call, path, dirfd, wanted, follow=follow)
        owner, group = call.args[uid] & _KEEP, call.args[gid] & _KEEP
        facts = _facts(call, found)
        requests = []
        if owner != _KEEP:
            requests.append(call.request("file chown", found.name, call.outside("uid", owner), facts=facts))
        if group != _KEEP:
            requests.append(call.request("file chgrp", found.name, call.outside("gid", group), facts=facts))
        new_owner, new_group = signed(owner), signed(group)
        if path is None:
            return Plan(requests, lambda: int(call.run("fchown", found.fd, new_owner, new_group)))
        return Plan(requests, lambda: int(call.run("chown", found.fd, new_owner, new_group)))

    return plan


def truncate(length: int, path: int | None = None, fd: int | None = None) -> Planner:
    """truncate(2), ftruncate(2)."""

    def plan(call: Call) -> Plan | Answer:
        size = call.args[length]
        size = size - (1 << 64) if size >> 63 else size
        if size < 0:
            return -errno.EINVAL
        found = _target(call, path, fd, 0) if path is not None else call.open_file(call.args[fd or 0])
        request = call.request("file truncate", found.name, facts=_facts(call, found))
        if path is None:
            return Plan([request], lambda: _within_limit(call, size, "ftruncate", found.fd))
        return Plan([request], lambda: _within_limit(call, size, "truncate", found.fd))

    return plan


def _within_limit(call: Call, size: int, action: str, fd: Fd) -> Answer:
    """Truncated, unless the caller may not have so large a file: that signals it, too (setrlimit(2))."""
    most = limits.file_size(call)
    try:
        # What was opened for writing was held to policy then.
        return int((call.run_fenced if action == "truncate" else call.run)(action, fd, size, most))
    except BlockingIOError:
        return call.run_blocking(action, fd, size, most, 0, fenced=True)
    except OSError as failure:
        if failure.errno == errno.EFBIG and 0 <= most < size:
            libc.syscall("tgkill", call.process.tgid, call.tid, signal.SIGXFSZ)
        raise
