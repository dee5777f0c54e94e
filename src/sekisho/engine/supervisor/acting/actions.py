"""What the supervisor does in a caller's place, each on the very object that was checked.

Every function takes pinned descriptors (``Fd``) and plain values, so that it runs alike in the
supervisor and in a worker with other rights; it raises the OSError that the caller gets.
``/proc/self/fd`` is reached through a descriptor, since a worker may have no /proc.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from stat import S_ISREG
from typing import Any, Final

from sekisho.engine.supervisor.acting.here import HERE, Fd, enter_process, filesystems, masked, own_entry, standing_in
from sekisho.engine.supervisor.acting.mount_actions import (
    let_go,
    mount,
    mount_flags,
    mount_from,
    mount_place,
    mount_setattr,
    move_mount,
    pivot_root,
    unmount,
)
from sekisho.engine.supervisor.acting.process_actions import (
    clock_state,
    control_device,
    get_descriptor,
    kill,
    limit_core,
    open_peer,
    queue_signal,
    queue_thread_signal,
    send_by_pidfd,
    set_owner,
    set_signal,
    tgkill,
    tkill,
)
from sekisho.engine.supervisor.acting.queue_actions import open_queue
from sekisho.engine.supervisor.acting.socket_actions import (
    accept_at_once,
    bind,
    bind_path,
    connect,
    connect_at_once,
    listen,
    make_socket,
    send,
)
from sekisho.engine.supervisor.objects import lookup
from sekisho.engine.supervisor.system import libc

__all__ = ("ACTIONS", "STATX_SIZE", "Fd", "enter_process", "filesystems")
STATX_SIZE: Final = 256


def find(tid: int, tgid: int, fsuid: int, start: Fd, root: Fd, path: bytes, follow: bool) -> Fd:
    """The object that ``path`` means to the caller."""
    view = lookup.View(tid, tgid, fsuid, start, root)
    return Fd(lookup.find(view, path, HERE.filesystems, follow=follow))


def find_parent(tid: int, tgid: int, fsuid: int, start: Fd, root: Fd, path: bytes) -> tuple[Fd, bytes]:
    """The directory that ``path``'s last component stands in, and that component."""
    view = lookup.View(tid, tgid, fsuid, start, root)
    parent, last = lookup.find_parent(view, path, HERE.filesystems)
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
    return Fd(os.open(own_entry(fd), flags | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=HERE.descriptors))


def reopen_at_once(fd: Fd, flags: int) -> Fd:
    """The same, but BlockingIOError where somebody's lease (F_SETLEASE) has to be given back first."""
    opened = reopen(fd, flags | os.O_NONBLOCK)
    if not flags & os.O_NONBLOCK:
        fcntl.fcntl(opened, fcntl.F_SETFL, flags)
    return opened


def runnable(fd: Fd) -> None:
    """Nothing where the object behind ``fd`` may be executed, else PermissionError."""
    if not os.access(own_entry(fd), os.X_OK, dir_fd=HERE.descriptors, effective_ids=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def create(parent: Fd, last: bytes, flags: int, mode: int, mask: int) -> Fd:
    """A new file, certainly made by this call: FileExistsError when another was faster.

    O_EXCL follows no symbolic link, and unlike O_NOFOLLOW leaves no trace in what F_GETFL shows.
    """
    with masked(mask):
        flags |= os.O_CREAT | os.O_EXCL | os.O_NOCTTY | os.O_CLOEXEC
        return Fd(os.open(last, flags, mode, dir_fd=parent))


def tmpfile(directory: Fd, flags: int, mode: int, mask: int) -> Fd:
    """A new nameless file on ``directory``'s file system (O_TMPFILE)."""
    with masked(mask):
        return Fd(os.open(own_entry(directory), flags | os.O_CLOEXEC, mode, dir_fd=HERE.descriptors))


def mkdir(parent: Fd, last: bytes, mode: int, mask: int) -> int:
    """mkdirat(2)."""
    with masked(mask):
        os.mkdir(last, mode, dir_fd=parent)
    return 0


def mknod(parent: Fd, last: bytes, mode: int, device: int, mask: int) -> int:
    """mknodat(2)."""
    with masked(mask):
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
    return libc.syscall("linkat", HERE.descriptors, own_entry(source), int(parent), last, libc.AT_SYMLINK_FOLLOW)


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
    os.chmod(own_entry(fd), mode, dir_fd=HERE.descriptors)
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
    return libc.syscall("fchown", int(fd), uid, gid)


def truncate(fd: Fd, length: int, most: int = -1, waiting: int = os.O_NONBLOCK) -> int:
    """truncate(2) of the object behind an O_PATH descriptor by somebody whose files are limited to ``most`` bytes;
    BlockingIOError instead of ``waiting`` (0) for somebody's lease."""
    status = os.fstat(fd)
    if (status.st_mode & 0o170000) == 0o040000:
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if (status.st_mode & 0o170000) != 0o100000 or length < 0:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    writable = reopen(fd, os.O_WRONLY | waiting)
    try:
        return ftruncate(writable, length, most)
    finally:
        os.close(writable)


def ftruncate(fd: Fd, length: int, most: int = -1) -> int:
    """ftruncate(2) by somebody whose files are limited to ``most`` bytes (-1: they aren't)."""
    status = os.fstat(fd)
    writable = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE and S_ISREG(status.st_mode)
    if writable and 0 <= most < length and length > status.st_size:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return libc.syscall("ftruncate", int(fd), length)


def set_flags(fd: Fd, flags: int) -> int:
    """fcntl(F_SETFL)."""
    return fcntl.fcntl(fd, fcntl.F_SETFL, flags)


def getattr_stat(fd: Fd, size: int) -> bytes:
    """The kernel's own ``struct stat`` of the object behind ``fd`` (``size`` bytes)."""
    return libc.fstat_raw(fd, size)


def getattr_statx(fd: Fd, flags: int, mask: int) -> bytes:
    """The kernel's own ``struct statx`` of the object behind ``fd``."""
    return libc.statx_raw(fd, flags, mask)


def open_handle(mount_fd: Fd, handle: bytes) -> Fd:
    """open_by_handle_at(2) as an O_PATH descriptor."""
    if fcntl.fcntl(mount_fd, fcntl.F_GETFL) & os.O_PATH:
        with standing_in(mount_fd):
            return Fd(libc.syscall("open_by_handle_at", libc.AT_FDCWD, handle, os.O_PATH | os.O_CLOEXEC))
    return Fd(libc.syscall("open_by_handle_at", int(mount_fd), handle, os.O_PATH | os.O_CLOEXEC))


ACTIONS: Final[dict[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        find,
        find_parent,
        find_within,
        child,
        reopen,
        reopen_at_once,
        runnable,
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
        let_go,
        mount_place,
        unmount,
        pivot_root,
        move_mount,
        mount_setattr,
        mount_flags,
        limit_core,
        control_device,
        open_peer,
        open_queue,
        bind,
        bind_path,
        connect,
        connect_at_once,
        accept_at_once,
        listen,
        make_socket,
        send,
        open_handle,
        kill,
        tkill,
        tgkill,
        queue_signal,
        queue_thread_signal,
        send_by_pidfd,
        set_owner,
        set_signal,
        get_descriptor,
        clock_state,
    )
}
"""What a worker can be asked for, by name."""
