"""A caller's socket, and what policy is asked about it: the ``network`` keywords."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from stat import S_ISSOCK
from typing import TYPE_CHECKING, Final

from sekisho.decide.request import Request
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.acting.closing import close_at_once
from sekisho.engine.supervisor.call import NO_FD, Call
from sekisho.engine.supervisor.objects import address as addresses
from sekisho.engine.supervisor.system import libc
from sekisho.policy.grammar import PROFILE_OPERATIONS
from sekisho.policy.model import Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.tasks import Process

_TYPES: Final[dict[int, str]] = {
    socket.SOCK_STREAM: "stream",
    socket.SOCK_DGRAM: "dgram",
    socket.SOCK_RAW: "raw",
    socket.SOCK_SEQPACKET: "seqpacket",
}
_MADE: Final = (socket.SO_DOMAIN, socket.SO_TYPE, socket.SO_PROTOCOL)
_SO_COOKIE: Final = 57
_GONE: Final = (errno.EBADF, errno.ESRCH, errno.ENOENT)
INET: Final = (socket.AF_INET, socket.AF_INET6)
WATCHED: Final = (*INET, socket.AF_UNIX)
"""The families whose addresses policy names."""


@dataclass(frozen=True, slots=True)
class Sock:
    """The caller's socket, pinned: ``family`` and ``type`` as its creator asked."""

    fd: Fd
    family: int
    type: str
    protocol: int
    cookie: int = 0
    """The kernel's number of a datagram or raw socket of the Internet, which no other socket ever gets."""

    @property
    def blocking(self) -> bool:
        """Whether calls on it wait."""
        return not fcntl.fcntl(self.fd, fcntl.F_GETFL) & os.O_NONBLOCK


def pin(call: Call, number: int) -> Sock:
    """The socket behind the caller's descriptor; OSError(EBADF or ENOTSOCK)."""
    fd = call.duplicate(number)
    sock = described(fd)
    if sock is None:
        call.opened(number)
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
    if sock.type != "stream" or sock.family not in INET:
        call.lingering.discard(fd)
    return sock


def described(fd: Fd) -> Sock | None:
    """What the socket ``fd`` is; None where it is none."""
    if not S_ISSOCK(os.fstat(fd).st_mode):
        return None
    # With what Python would find out first said to it, it finds out nothing (some have no address).
    handle = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=fd)
    try:
        family, kind, protocol = (handle.getsockopt(socket.SOL_SOCKET, option) for option in _MADE)
        word = _TYPES.get(kind, "other")
        hears = family in INET and word in ("dgram", "raw")
        cookie = handle.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, 8) if hears else b""
    finally:
        handle.detach()
    return Sock(fd, family, word, protocol, int.from_bytes(cookie, "little"))


def opened_by(process: Process) -> Iterator[Sock]:
    """Each socket that ``process`` has open now, pinned until the next; those of its threads, too."""
    seen: set[str] = set()
    for tid in map(int, os.listdir(f"/proc/{process.tgid}/task")):
        folder = f"/proc/{process.tgid}/task/{tid}/fd"
        for number in map(int, os.listdir(folder)):
            try:
                name = os.readlink(f"{folder}/{number}")
                if name in seen or not name.startswith("socket:"):
                    continue
                leading = tid == process.tgid
                fd = Fd(libc.pidfd_getfd(process.pidfd, number) if leading else libc.thread_getfd(tid, number))
            except OSError as failure:
                if failure.errno not in _GONE:
                    raise
                continue
            try:
                # Who has but a path to it (O_PATH) receives nothing by that.
                sock = described(fd) if not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_PATH else None
                if sock is not None:
                    seen.add(name)
                    yield sock
            finally:
                close_at_once(fd)


def mediated(call: Call, sock: Sock, verb: str) -> bool:
    """Whether policy has anything to say about ``verb`` on ``sock`` in the caller's domain."""
    name = f"network::{'unix' if sock.family == socket.AF_UNIX else 'inet'}_{sock.type}_{verb}"
    if sock.family not in WATCHED or name not in PROFILE_OPERATIONS:
        return False
    return call.supervisor.judge.policy.config(call.process.domain, name).mode is not Mode.DISABLED


def requests(call: Call, sock: Sock, verb: str, raw: bytes) -> list[Request]:
    """What policy is asked for ``verb`` at address ``raw``; nothing where TOMOYO asks nothing."""
    if sock.family in INET and sock.type in ("stream", "dgram", "raw"):
        if verb != "connect" and addresses.family(raw) == socket.AF_UNSPEC:
            # Old programs leave the family out: the kernel binds and sends all the same (connect disconnects).
            raw = struct.pack("H", sock.family) + raw[2:]
        target = addresses.inet(raw)
        if target is None:
            return []
        if sock.type != "stream" and verb == "connect":
            verb = "send"
        number = sock.protocol if sock.type == "raw" else target.port
        return [call.request(f"network inet {sock.type} {verb}", target.text, number)]
    if sock.family == socket.AF_UNIX and sock.type in ("stream", "dgram", "seqpacket"):
        if verb != "listen" and addresses.family(raw) != socket.AF_UNIX:
            return []
        if sock.type == "dgram" and verb == "connect":
            verb = "send"
        name = addresses.unix_name(raw)
        word = "anonymous" if name is None else call.supervisor.namer.encode(name)
        return [call.request(f"network unix {sock.type} {verb}", word)]
    return []


def unix_target(call: Call, sock: Sock, raw: bytes) -> Fd:
    """The file that a UNIX path leads the caller to, pinned; -1 when the address has none. Only the text of the
    path is policy's, but it must not be looked up from where the supervisor stands (/proc/self, say)."""
    if sock.family != socket.AF_UNIX or not addresses.is_path(raw):
        return NO_FD
    found = call.object(libc.AT_FDCWD, addresses.unix_name(raw) or b"")
    if call.supervisor.guard.is_own_socket(found.status):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    return found.fd


def bound_address(sock: Sock) -> bytes:
    """The raw address that ``sock`` is bound to."""
    with socket.socket(fileno=os.dup(sock.fd)) as handle:
        name = handle.getsockname()
    if sock.family == socket.AF_UNIX:
        return struct.pack("H", socket.AF_UNIX) + (name if isinstance(name, bytes) else os.fsencode(name))
    return _raw(sock, name) if sock.family in INET else b""


def peer_address(sock: Sock) -> bytes:
    """The raw address that ``sock``, of the Internet, is connected to; b"" where it is to none."""
    with socket.socket(fileno=os.dup(sock.fd)) as handle:
        try:
            return _raw(sock, handle.getpeername())
        except OSError:
            return b""


def _raw(sock: Sock, name: tuple[str, int]) -> bytes:
    port = int(name[1]).to_bytes(2, "big")
    if sock.family == socket.AF_INET:
        return struct.pack("H", sock.family) + port + socket.inet_aton(name[0]) + bytes(8)
    host = socket.inet_pton(socket.AF_INET6, name[0].partition("%")[0])
    return struct.pack("H", sock.family) + port + bytes(4) + host + bytes(4)


def write_address(call: Call, raw: bytes, at: int, size_at: int) -> None:
    """A peer's address as the kernel gives it to the caller (move_addr_to_user): as much as there is room for, and
    how long it is in truth."""
    (room,) = struct.unpack("i", call.read(size_at, 4))
    if room < 0:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if raw[:room]:
        call.write(at, raw[:room])
    call.write(size_at, struct.pack("I", len(raw)))
