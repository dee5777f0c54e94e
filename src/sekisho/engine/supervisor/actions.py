"""What the supervisor does in a caller's place, each on the very object that was checked.

Every function takes pinned descriptors (``Fd``) and plain values, so that it runs alike in the
supervisor and in a worker with other rights; it raises the OSError that the caller gets.
``/proc/self/fd`` is reached through a descriptor, since a worker may have no /proc.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

from sekisho.engine.supervisor import libc, lookup
from sekisho.engine.supervisor.filesystems import FileSystems

STATX_SIZE: Final = 256


class Fd(int):
    """A descriptor of ours, told apart from plain numbers so that it can travel to and from a worker."""

    __slots__ = ()


class _Here:
    """What belongs to this process: its own descriptor directory, its view of file systems."""

    def __init__(self) -> None:
        self.descriptors = -1
        self.filesystems = FileSystems()


_here: Final = _Here()


def enter_process() -> None:
    """Must be called once in each process (after a fork again): its own /proc/self/fd is pinned."""
    _here.descriptors = os.open("/proc/self/fd", os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
    _here.filesystems = FileSystems()


def filesystems() -> FileSystems:
    """The file systems as this process sees them."""
    return _here.filesystems


@contextlib.contextmanager
def _umask(mask: int) -> Iterator[None]:
    former = os.umask(mask)
    try:
        yield
    finally:
        os.umask(former)


@contextlib.contextmanager
def _standing_in(directory: int) -> Iterator[None]:
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        os.fchdir(directory)
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def _own(fd: int) -> bytes:
    return b"%d" % fd


def find(tid: int, tgid: int, fsuid: int, start: Fd, root: Fd, path: bytes, follow: bool) -> Fd:
    """The object that ``path`` means to the caller."""
    view = lookup.View(tid, tgid, fsuid, start, root)
    return Fd(lookup.find(view, path, _here.filesystems, follow=follow))


def find_parent(tid: int, tgid: int, fsuid: int, start: Fd, root: Fd, path: bytes) -> tuple[Fd, bytes]:
    """The directory that ``path``'s last component stands in, and that component."""
    view = lookup.View(tid, tgid, fsuid, start, root)
    parent, last = lookup.find_parent(view, path, _here.filesystems)
    return Fd(parent), last


def find_within(start: Fd, path: bytes, resolve: int, follow: bool) -> Fd:
    """openat2(2) with the caller's ``resolve`` flags, as an O_PATH descriptor."""
    flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    return Fd(libc.openat2(start, path, libc.OpenHow(flags, resolve | libc.RESOLVE_NO_MAGICLINKS)))


def child(parent: Fd, last: bytes) -> Fd:
    """The object named ``last`` in ``parent``, a symbolic link itself."""
    return Fd(os.open(last, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=parent))


def reopen(fd: Fd, flags: int) -> Fd:
    """The object behind ``fd`` opened for use."""
    return Fd(os.open(_own(fd), flags | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=_here.descriptors))


def create(parent: Fd, last: bytes, flags: int, mode: int, mask: int) -> Fd:
    """A new file, certainly made by this call (O_EXCL): FileExistsError when another was faster."""
    with _umask(mask):
        flags |= os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
        return Fd(os.open(last, flags, mode, dir_fd=parent))


def tmpfile(directory: Fd, flags: int, mode: int, mask: int) -> Fd:
    """A new nameless file on ``directory``'s file system (O_TMPFILE)."""
    with _umask(mask):
        return Fd(os.open(_own(directory), flags | os.O_CLOEXEC, mode, dir_fd=_here.descriptors))


def mkdir(parent: Fd, last: bytes, mode: int, mask: int) -> int:
    """mkdirat(2)."""
    with _umask(mask):
        os.mkdir(last, mode, dir_fd=parent)
    return 0


def mknod(parent: Fd, last: bytes, mode: int, device: int, mask: int) -> int:
    """mknodat(2)."""
    with _umask(mask):
        os.mknod(last, mode, device, dir_fd=parent)
    return 0


def unlink(parent: Fd, last: bytes) -> int:
    """unlinkat(2) without AT_REMOVEDIR."""
    os.unlink(last, dir_fd=parent)
    return 0


def rmdir(parent: Fd, last: bytes) -> int:
    """unlinkat(2) with AT_REMOVEDIR."""
    os.rmdir(last, dir_fd=parent)
    return 0


def link(source: Fd, parent: Fd, last: bytes) -> int:
    """A hard link to the object behind ``source``."""
    return libc.syscall("linkat", _here.descriptors, _own(source), int(parent), last, libc.AT_SYMLINK_FOLLOW)


def symlink(target: bytes, parent: Fd, last: bytes) -> int:
    """symlinkat(2)."""
    os.symlink(target, last, dir_fd=parent)
    return 0


def rename(old_parent: Fd, old: bytes, new_parent: Fd, new: bytes, flags: int) -> int:
    """renameat2(2)."""
    return libc.syscall("renameat2", int(old_parent), old, int(new_parent), new, flags)


def chmod(fd: Fd, mode: int) -> int:
    """The mode of the object behind an O_PATH descriptor; a symbolic link's is refused as fchmodat2(2) does."""
    if (os.fstat(fd).st_mode & 0o170000) == 0o120000:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    os.chmod(_own(fd), mode, dir_fd=_here.descriptors)
    return 0


def fchmod(fd: Fd, mode: int) -> int:
    """fchmod(2)."""
    os.fchmod(fd, mode)
    return 0


def chown(fd: Fd, uid: int, gid: int) -> int:
    """The owner of the object behind ``fd``, O_PATH or not."""
    return libc.syscall("fchownat", int(fd), b"", uid, gid, libc.AT_EMPTY_PATH)


def fchown(fd: Fd, uid: int, gid: int) -> int:
    """fchown(2)."""
    os.fchown(fd, uid, gid)
    return 0


def truncate(fd: Fd, length: int) -> int:
    """truncate(2) of the object behind an O_PATH descriptor."""
    status = os.fstat(fd)
    if (status.st_mode & 0o170000) == 0o040000:
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if (status.st_mode & 0o170000) != 0o100000 or length < 0:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    writable = reopen(fd, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.ftruncate(writable, length)
    finally:
        os.close(writable)
    return 0


def ftruncate(fd: Fd, length: int) -> int:
    """ftruncate(2)."""
    return libc.syscall("ftruncate", int(fd), length)


def set_flags(fd: Fd, flags: int) -> int:
    """fcntl(F_SETFL)."""
    return fcntl.fcntl(fd, fcntl.F_SETFL, flags)


def getattr_stat(fd: Fd, size: int) -> bytes:
    """The kernel's own ``struct stat`` of the object behind ``fd`` (``size`` bytes)."""
    return libc.fstat_raw(fd, size)


def getattr_statx(fd: Fd, flags: int, mask: int) -> bytes:
    """The kernel's own ``struct statx`` of the object behind ``fd``."""
    buffer = ctypes.create_string_buffer(STATX_SIZE)
    flags = (flags & ~libc.AT_SYMLINK_NOFOLLOW) | libc.AT_EMPTY_PATH
    libc.syscall("statx", int(fd), b"", flags, mask, buffer)
    return buffer.raw


def mount(source: bytes | None, target: Fd, kind: bytes | None, flags: int, data: bytes | None) -> int:
    """mount(2) on the directory behind ``target``."""
    with _standing_in(_here.descriptors):
        return libc.syscall("mount", source, _own(target), kind, flags, data)


def mount_from(source: Fd, target: Fd, kind: bytes | None, flags: int, data: bytes | None) -> int:
    """mount(2) of the object behind ``source`` (bind, move)."""
    with _standing_in(_here.descriptors):
        return libc.syscall("mount", _own(source), _own(target), kind, flags, data)


def unmount(parent: Fd, last: bytes, flags: int) -> int:
    """umount2(2) of what is mounted on ``last`` in ``parent``; a mount point's name can't be swapped (EBUSY)."""
    with _standing_in(parent):
        return libc.syscall("umount2", last, flags)


def pivot_root(new_root: Fd, put_old: Fd) -> int:
    """pivot_root(2); moves every process of the mount namespace that stands at its root."""
    with _standing_in(_here.descriptors):
        return libc.syscall("pivot_root", _own(new_root), _own(put_old))


def move_mount(source: Fd, target: Fd) -> int:
    """move_mount(2) between pinned places."""
    return libc.syscall("move_mount", int(source), b"", int(target), b"", 0x4 | 0x40)


def mount_setattr(target: Fd, flags: int, attributes: bytes) -> int:
    """mount_setattr(2) of a pinned mount."""
    return libc.syscall("mount_setattr", int(target), b"", flags | libc.AT_EMPTY_PATH, attributes, len(attributes))


def fspick(target: Fd) -> Fd:
    """fspick(2) of a pinned mount."""
    return Fd(libc.syscall("fspick", int(target), b"", 0x1 | 0x8))


def bind(sock: Fd, address: bytes, directory: Fd, mask: int) -> int:
    """bind(2) with the raw ``address``; relative UNIX names start at ``directory`` (-1: none needed)."""
    with contextlib.ExitStack() as stack:
        if directory >= 0:
            stack.enter_context(_umask(mask))
            stack.enter_context(_standing_in(directory))
        return libc.syscall("bind", int(sock), address, len(address))


def connect(sock: Fd, address: bytes, directory: Fd) -> int:
    """connect(2) with the raw ``address``."""
    with contextlib.ExitStack() as stack:
        if directory >= 0:
            stack.enter_context(_standing_in(directory))
        return libc.syscall("connect", int(sock), address, len(address))


def listen(sock: Fd, backlog: int) -> int:
    """listen(2)."""
    return libc.syscall("listen", int(sock), backlog)


def send(
    sock: Fd,
    data: bytes,
    ancillary: list[tuple[int, int, bytes]],
    descriptors: list[Fd],
    flags: int,
    address: bytes,
    directory: Fd,
) -> int:
    """sendmsg(2) of copies; ``descriptors`` travel as one SCM_RIGHTS message."""
    from sekisho.engine.supervisor.message import send_raw

    control = list(ancillary)
    if descriptors:
        control.append(
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, b"".join(int(d).to_bytes(4, "little") for d in descriptors))
        )
    with contextlib.ExitStack() as stack:
        if directory >= 0:
            stack.enter_context(_standing_in(directory))
        return send_raw(sock, data, control, flags | socket.MSG_NOSIGNAL, address)


def open_handle(mount_fd: Fd, handle: bytes) -> Fd:
    """open_by_handle_at(2) as an O_PATH descriptor."""
    return Fd(libc.syscall("open_by_handle_at", int(mount_fd), handle, os.O_PATH | os.O_CLOEXEC))


ACTIONS: Final[dict[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        find,
        find_parent,
        find_within,
        child,
        reopen,
        create,
        tmpfile,
        mkdir,
        mknod,
        unlink,
        rmdir,
        link,
        symlink,
        rename,
        chmod,
        fchmod,
        chown,
        fchown,
        truncate,
        ftruncate,
        set_flags,
        getattr_stat,
        getattr_statx,
        mount,
        mount_from,
        unmount,
        pivot_root,
        move_mount,
        mount_setattr,
        fspick,
        bind,
        connect,
        listen,
        send,
        open_handle,
    )
}
"""What a worker can be asked for, by name."""
