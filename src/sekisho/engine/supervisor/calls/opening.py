"""open(2) and its kin: ``file read``, ``write``, ``append``, ``create``, ``truncate``."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from functools import partial
from stat import S_ISCHR, S_ISDIR, S_ISFIFO, S_ISLNK, S_ISREG
from typing import Final

from sekisho.decide.request import Request
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import limits, sticky, terminal
from sekisho.engine.supervisor.objects.filesystems import FUSE_SUPER_MAGIC
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts, Object, Place, Plan
from sekisho.engine.supervisor.system import libc

_O_TMPFILE: Final = os.O_TMPFILE
_CREATION: Final = os.O_CREAT | os.O_EXCL | os.O_NOCTTY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_LINKS: Final = 40
_DOTS: Final = (b"", b".", b"..")
_HOW: Final = struct.Struct("QQQ")
OPERATIONS: Final = ("file::open", "file::create", "file::truncate")


def open_at(
    path: int, flags: int | None, mode: int | None, dirfd: int | None = None, fixed: int = 0
) -> Callable[[Call], Plan | Answer]:
    """The plan of an open whose arguments stand at these registers; ``fixed`` flags are implied."""

    def plan(call: Call) -> Plan | Answer:
        args = call.args
        wanted = fixed | (args[flags] & 0xFFFFFFFF if flags is not None else 0)
        start = args[dirfd] if dirfd is not None else libc.AT_FDCWD
        invalid = libc.open_refuses(wanted)
        if invalid:
            return -invalid
        return _plan(call, start, call.string(args[path]), wanted, args[mode] & 0o7777 if mode is not None else 0, 0)

    return plan


def open_how(call: Call) -> Plan | Answer:
    """openat2(2): flags, mode and resolve stand in a structure.

    O_PATH asks for nothing, but standing in memory it could be taken back after our look, and an O_PATH descriptor
    can't be handed over (fget() refuses it): ENOSYS sends callers back to openat(2), whose flags stand in a register.
    """
    dirfd, path, how, size, *_ = call.args
    if size < _HOW.size:
        return -errno.EINVAL
    raw = call.read(how, min(size, 4096))
    if any(raw[_HOW.size :]):
        return -errno.E2BIG
    flags, mode, resolve = _HOW.unpack(raw[: _HOW.size])
    invalid = libc.openat2_refuses(flags, mode, resolve)
    if invalid:
        return -invalid
    if flags & os.O_PATH:
        return -errno.ENOSYS
    return _plan(call, dirfd, call.string(path), flags, mode & 0o7777, resolve)


def by_handle(call: Call) -> Plan | Answer:
    """open_by_handle_at(2)."""
    mount_fd, address, flags, *_ = call.args
    size, _ = struct.unpack("Ii", call.read(address, 8))
    if not 0 < size <= 128:
        return -errno.EINVAL
    invalid = libc.open_refuses(flags & 0xFFFFFFFF)
    if invalid:
        return -invalid
    if not flags & os.O_PATH:
        anchor = call.cwd() if signed(mount_fd) == libc.AT_FDCWD else call.opened(mount_fd)
        handle = call.read(address, 8 + size)
        found = call.describe(call.keep(call.run("open_handle", anchor, handle)))
        making = flags & (os.O_CREAT | os.O_EXCL) == os.O_CREAT | os.O_EXCL
        if limits.descriptors_used_up(call):
            return -errno.EMFILE
        return (
            -errno.EEXIST
            if making and not S_ISLNK(found.status.st_mode)
            else _existing(call, found, flags & 0xFFFFFFFF)
        )
    return PROCEED


def _plan(call: Call, dirfd: int, path: bytes, flags: int, mode: int, resolve: int) -> Plan | Answer:
    """The plan of an open with valid flags. Without a free descriptor the kernel looks no further than its path."""
    if flags & os.O_PATH:
        return PROCEED
    if flags & (os.O_CREAT | os.O_TRUNC) and limits.descriptors_used_up(call):
        return -errno.EMFILE
    try:
        answer = _lookup(call, dirfd, path, flags, mode, resolve)
    except OSError:
        if path and limits.descriptors_used_up(call):
            return -errno.EMFILE
        raise
    if isinstance(answer, int) and answer < 0 and limits.descriptors_used_up(call):
        return -errno.EMFILE
    return answer


def _lookup(call: Call, dirfd: int, path: bytes, flags: int, mode: int, resolve: int) -> Plan | Answer:
    if flags & _O_TMPFILE == _O_TMPFILE:
        return _nameless(call, call.object(dirfd, path), flags, mode)
    if not flags & os.O_CREAT:
        return _existing(call, _object(call, dirfd, path, flags, resolve), flags)
    return _creating(call, dirfd, path, flags, mode, resolve, _MAX_LINKS)


def _creating(call: Call, dirfd: int, path: bytes, flags: int, mode: int, resolve: int, links: int) -> Plan | Answer:
    """O_CREAT: what is there is opened, else made, if need be where a dangling symbolic link leads."""
    if path.endswith(b"/") and call.place(dirfd, path, resolve).last.rstrip(b"/") not in _DOTS:
        return -errno.EISDIR
    try:
        found = _object(call, dirfd, path, flags, resolve)
    except FileNotFoundError:
        place = call.place(dirfd, path, resolve)
    else:
        if flags & os.O_EXCL:
            return -errno.EEXIST
        return -errno.EACCES if sticky.withheld(call, found) else _existing(call, found, flags)
    standing = call.occupant(place)
    if standing is None:
        return _fresh(call, place, flags, mode, partial(_again, call, dirfd, path, flags, mode, resolve))
    if flags & os.O_EXCL:
        return -errno.EEXIST
    # Where a dangling link leads isn't found out under a caller's restrictions of its own.
    if not S_ISLNK(standing.st_mode) or flags & os.O_NOFOLLOW or not links or resolve:
        return -errno.ELOOP
    return _creating(call, *_through(call, place), flags, mode, resolve, links - 1)


def _object(call: Call, dirfd: int, path: bytes, flags: int, resolve: int) -> Object:
    follow = not flags & os.O_NOFOLLOW and flags & (os.O_CREAT | os.O_EXCL) != os.O_CREAT | os.O_EXCL
    if resolve:
        return call.object_within(dirfd, path, resolve, follow=follow)
    return call.object(dirfd, path, follow=follow)


def _through(call: Call, place: Place) -> tuple[int, bytes]:
    """Where a dangling symbolic link at ``place`` leads: (descriptor of the caller's view, path)."""
    link = call.run("child", place.parent, place.last)
    target = os.readlink(b"", dir_fd=call.keep(link))
    if target.startswith(b"/"):
        return libc.AT_FDCWD, target
    number = -1000 - place.parent
    call.stand_in[number] = place.parent
    return number, target


def access(flags: int) -> list[str]:
    """The keywords that opening with ``flags`` asks for."""
    kind = flags & os.O_ACCMODE
    words = []
    # Access mode 3 is good for ioctl only, but the kernel asks for both.
    if kind != os.O_WRONLY:
        words.append("file read")
    if kind != os.O_RDONLY:
        words.append("file append" if flags & os.O_APPEND else "file write")
    return words


def _existing(call: Call, found: Object, flags: int) -> Plan | Answer:
    kind = found.status.st_mode
    if flags & os.O_DIRECTORY and not S_ISDIR(kind):
        return -errno.ENOTDIR
    if S_ISLNK(kind):
        return -errno.ELOOP
    if S_ISDIR(kind) and (flags & os.O_ACCMODE or flags & os.O_CREAT):
        return -errno.EISDIR
    facts = CallFacts(call, path1=found)
    requests = [call.request(word, found.name, facts=facts) for word in access(flags)]
    if flags & os.O_TRUNC and S_ISREG(kind):
        requests.append(call.request("file truncate", found.name, facts=facts))
    call.close_on_exec = bool(flags & os.O_CLOEXEC)
    return Plan(requests, lambda: _open(call, found, flags))


def _open(call: Call, found: Object, flags: int) -> Answer:
    use = flags & ~_CREATION | (flags & os.O_TRUNC)
    kind = found.status.st_mode
    if S_ISCHR(kind):
        own_terminal = terminal.controlling(call, found.status)
        if own_terminal is not None:
            found, call.fenced = own_terminal, False
    slow = S_ISFIFO(kind) or (S_ISCHR(kind) and terminal.may_block(found.status))
    slow = slow or call.supervisor.namer.filesystems.type(found.fd, found.status.st_dev) == FUSE_SUPER_MAGIC
    if slow and not flags & os.O_NONBLOCK:
        if limits.descriptors_used_up(call):
            return -errno.EMFILE
        return call.run_blocking("reopen", found.fd, use, fenced=True)
    try:
        opened: Fd = call.run_fenced("reopen_at_once" if S_ISREG(kind) else "reopen", found.fd, use)
    except BlockingIOError:
        if flags & os.O_NONBLOCK:
            raise
        return call.run_blocking("reopen", found.fd, use, fenced=True)
    except OSError:
        if limits.descriptors_used_up(call):
            return -errno.EMFILE
        raise
    return opened


def _fresh(call: Call, place: Place, flags: int, mode: int, again: Callable[[], Answer]) -> Plan | Answer:
    name = call.place_name(place)
    facts = CallFacts(call, parent1=place.status)
    requests = [call.request("file create", name, mode, facts=facts)]
    requests += [call.request(word, name, facts=facts) for word in access(flags)]

    def perform() -> Answer:
        try:
            made: Fd = call.run_fenced("create", place.parent, place.last, flags & ~_CREATION, mode, call.umask())
        except FileExistsError:
            return -errno.EEXIST if flags & os.O_EXCL else again()
        return made

    call.close_on_exec = bool(flags & os.O_CLOEXEC)
    return Plan(requests, perform, changes=True)


def _again(call: Call, dirfd: int, path: bytes, flags: int, mode: int, resolve: int) -> Answer:
    """Somebody made the file between our look and our call: what stands there now is judged anew."""
    plan = _plan(call, dirfd, path, flags, mode, resolve)
    if not isinstance(plan, Plan):
        return plan
    domain = call.process.domain
    if not call.supervisor.judge.allows(domain, plan.requests):
        return -errno.EPERM
    call.allowed(domain, plan.requests)
    return plan.perform()


def _nameless(call: Call, directory: Object, flags: int, mode: int) -> Plan | Answer:
    """O_TMPFILE: the kernel names it after its inode number, known only once it is there."""
    made: Fd = call.run("tmpfile", directory.fd, flags & ~(os.O_CLOEXEC | os.O_NOFOLLOW), mode, call.umask())
    call.close_on_exec = bool(flags & os.O_CLOEXEC)
    found = call.describe(call.keep(made))
    facts = CallFacts(call, path1=found, parent1=directory.status)
    requests: list[Request] = [call.request(word, found.name, facts=facts) for word in access(flags)]

    def perform() -> Answer:
        # Its mode is for those who open it, not for whoever has made it; nobody else can reach it yet.
        call.run("fchmod", made, 0o600)
        call.keep(call.run_fenced("reopen", made, flags & os.O_ACCMODE))
        call.run("fchmod", made, found.status.st_mode & 0o7777)
        return Fd(os.dup(made))

    return Plan(requests, perform)
