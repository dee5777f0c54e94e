"""Where a tree's control socket is: ``control-PID.sock`` in its policy directory, PID being the supervisor's.

A socket's address has room for 107 bytes only, so it is reached as ``/proc/self/fd/N/NAME`` from a descriptor of its
directory, however long that one's path is.
"""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"control-([0-9]+)(?:\.[0-9]+)?\.sock")
_SO_PEERPIDFD: Final = 77
_UCRED: Final = struct.Struct("3i")


def path_for(directory: Path, pid: int) -> Path:
    """Where the tree of supervisor ``pid`` is to be reached; a name that another one (of another PID namespace) still
    answers at isn't taken from it."""
    path = directory / f"control-{pid}.sock"
    number = 1
    while path.exists() and not is_dead(path):
        path = directory / f"control-{pid}.{number}.sock"
        number += 1
    return path


def names_in(directory: Path) -> list[str]:
    """The names of control sockets in ``directory``, dead ones among them."""
    return sorted((name for name in os.listdir(directory) if _NAME.fullmatch(name)), key=lambda name: (len(name), name))


@contextmanager
def _address(path: Path) -> Iterator[str]:
    fd = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{path.name}"
    finally:
        os.close(fd)


def listen(path: Path) -> socket.socket:
    """A listening socket at ``path``, which only its owner can connect to. It has its name once it listens, so that
    nobody takes it for a dead one; what was there before is gone."""
    sock = _new()
    try:
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        former = os.umask(0o177)
        try:
            with _address(temporary) as address:
                sock.bind(address)
        finally:
            os.umask(former)
        sock.listen(128)
        os.rename(temporary, path)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def connect(path: Path, timeout: float) -> socket.socket:
    """A connection to the socket at ``path``; raises OSError, ConnectionRefusedError where nobody listens any more."""
    sock = _new()
    try:
        sock.settimeout(timeout)
        with _address(path) as address:
            sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def is_dead(path: Path) -> bool:
    """Whether nobody listens at ``path`` any more (or it is gone)."""
    try:
        connect(path, 1.0).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    except OSError:
        return False
    return False


def peer(sock: socket.socket) -> tuple[int, int]:
    """Process (as it was when it connected) and user at the other end; 0 for a process that isn't seen from here."""
    pid, user, _ = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return pid, user


def peer_lives(sock: socket.socket) -> bool:
    """Whether the process that connected is still there, so that what was found out about its pid was about it."""
    try:
        fd = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError as error:
        # Before Linux 6.5 there is no such option, and the pid is all there is.
        return error.errno == errno.ENOPROTOOPT and os.path.exists(f"/proc/{peer(sock)[0]}")
    try:
        return not is_readable(fd, 0)
    finally:
        os.close(fd)


def is_readable(fd: int, timeout: float) -> bool:
    """Whether ``fd`` has something to read (a pidfd: has ended) now or within ``timeout`` seconds."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def _new() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
