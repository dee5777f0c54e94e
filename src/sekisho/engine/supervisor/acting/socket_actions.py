"""Binding, connecting and sending in a caller's place, on its own socket with copies of its arguments."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
from collections.abc import Iterator
from typing import Final

from sekisho.engine.supervisor.acting.here import HERE, Fd, masked, standing_in
from sekisho.engine.supervisor.system import libc
from sekisho.engine.supervisor.system.transfer import send_raw

_UNIX: Final = struct.pack("H", socket.AF_UNIX)
_ADDRESS_SIZE: Final = 128
_MOMENT: Final = 1
"""Milliseconds."""
_FOLDER: Final = libc.OpenHow(os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY, libc.RESOLVE_NO_MAGICLINKS)


def make_socket(family: int, kind: int, protocol: int) -> Fd:
    """socket(2), close-on-exec."""
    return Fd(libc.syscall("socket", family, kind | socket.SOCK_CLOEXEC, protocol))


def bind(sock: Fd, address: bytes) -> int:
    """bind(2) with the raw ``address``."""
    return libc.syscall("bind", int(sock), address, len(address))


def bind_path(sock: Fd, address: bytes, start: Fd, parent: Fd, last: bytes, mask: int) -> int:
    """bind(2) that makes ``last`` in ``parent``: by the caller's own ``address``, which getsockname(2) will show,
    where that leads there from ``start`` for us, too."""
    with masked(mask):
        with standing_in(start):
            if _leads_to(address[2:].split(b"\0", 1)[0], parent):
                return bind(sock, address)
        with standing_in(parent):
            return bind(sock, _UNIX + last)


def _leads_to(path: bytes, parent: Fd) -> bool:
    """Whether ``path`` names something in ``parent`` for this process."""
    folder = os.path.dirname(path.rstrip(b"/")) or b"."
    try:
        fd = libc.openat2(libc.AT_FDCWD, folder, _FOLDER)
    except OSError:
        return False
    try:
        return os.path.samestat(os.fstat(fd), os.fstat(parent))
    finally:
        os.close(fd)


def connect(sock: Fd, address: bytes, target: Fd) -> int:
    """connect(2) to the UNIX socket behind ``target``, or where that is -1 to the raw ``address``."""
    with _reaching(address, target) as reached:
        return libc.syscall("connect", int(sock), reached, len(reached))


def connect_at_once(sock: Fd, address: bytes, target: Fd) -> int:
    """The same on a blocking socket, but BlockingIOError where it would wait: then ``connect`` goes on from there."""
    flags = fcntl.fcntl(sock, fcntl.F_GETFL)
    fcntl.fcntl(sock, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        return connect(sock, address, target)
    except BlockingIOError:
        # A peer on this machine answers at once, and then the same call tells how it came out.
        ready = select.poll()
        ready.register(sock, select.POLLOUT)
        if not ready.poll(_MOMENT):
            raise
        return connect(sock, address, target)
    finally:
        fcntl.fcntl(sock, fcntl.F_SETFL, flags)


@contextlib.contextmanager
def _reaching(address: bytes, target: Fd) -> Iterator[bytes]:
    """The address that leads this process to ``target``, as long as it lasts."""
    if target < 0:
        yield address
        return
    with standing_in(HERE.descriptors):
        yield _UNIX + b"%d" % target


def listen(sock: Fd, backlog: int) -> int:
    """listen(2)."""
    return libc.syscall("listen", int(sock), backlog)


def accept_at_once(sock: Fd) -> tuple[Fd, bytes]:
    """The next connection, close-on-exec, and its peer's raw address; BlockingIOError when none has come."""
    size = ctypes.c_uint32(_ADDRESS_SIZE)
    address = ctypes.create_string_buffer(_ADDRESS_SIZE)
    with _never_waiting(sock):
        made = libc.syscall("accept4", int(sock), address, ctypes.byref(size), socket.SOCK_CLOEXEC)
    return Fd(made), address.raw[: size.value]


@contextlib.contextmanager
def _never_waiting(sock: Fd) -> Iterator[None]:
    """Calls on ``sock`` don't wait meanwhile. One that listens in vain isn't touched."""
    ready = select.poll()
    ready.register(sock, select.POLLIN)
    if not ready.poll(0) and _listens(sock):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    flags = fcntl.fcntl(sock, fcntl.F_GETFL)
    if flags & os.O_NONBLOCK:
        yield
        return
    fcntl.fcntl(sock, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        yield
    finally:
        fcntl.fcntl(sock, fcntl.F_SETFL, flags)


def _listens(sock: Fd) -> bool:
    with socket.socket(fileno=os.dup(sock)) as handle:
        return bool(handle.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def reject(connection: Fd) -> int:
    """The peer of an accepted ``connection`` sees it reset."""
    with socket.socket(fileno=os.dup(connection)) as handle, contextlib.suppress(OSError):
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return 0


def send(
    sock: Fd,
    data: bytes,
    ancillary: list[tuple[int, int, bytes]],
    descriptors: list[Fd],
    flags: int,
    address: bytes,
    target: Fd,
) -> int:
    """sendmsg(2) of copies, to where ``connect`` would go; ``descriptors`` travel as one SCM_RIGHTS message."""
    control = list(ancillary)
    if descriptors:
        control.append(
            (socket.SOL_SOCKET, socket.SCM_RIGHTS, b"".join(int(d).to_bytes(4, "little") for d in descriptors))
        )
    with _reaching(address, target) as reached:
        return send_raw(sock, data, control, flags | socket.MSG_NOSIGNAL, reached)
