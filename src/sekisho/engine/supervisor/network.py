"""bind, listen, connect and sends with a destination: the ``network`` keywords and ``file mksock``."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from stat import S_ISSOCK
from typing import Final

from sekisho.decide.request import Request
from sekisho.engine.supervisor import address as addresses
from sekisho.engine.supervisor import libc, message
from sekisho.engine.supervisor.actions import Fd
from sekisho.engine.supervisor.call import NO_FD, Call, signed
from sekisho.engine.supervisor.message import Message
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts, Plan

MSG_FASTOPEN: Final = 0x20000000
_START: Final = -999
"""Stands for the working directory that a call began with."""
_TYPES: Final[dict[int, str]] = {
    socket.SOCK_STREAM: "stream",
    socket.SOCK_DGRAM: "dgram",
    socket.SOCK_RAW: "raw",
    socket.SOCK_SEQPACKET: "seqpacket",
}
_INET: Final = (socket.AF_INET, socket.AF_INET6)


@dataclass(frozen=True, slots=True)
class Sock:
    """The caller's socket, pinned: ``family`` and ``type`` as its creator asked."""

    fd: Fd
    family: int
    type: str
    protocol: int

    @property
    def blocking(self) -> bool:
        """Whether calls on it wait."""
        return not fcntl.fcntl(self.fd, fcntl.F_GETFL) & os.O_NONBLOCK


def pin(call: Call, number: int) -> Sock:
    """The socket behind the caller's descriptor; OSError(EBADF or ENOTSOCK)."""
    fd = call.duplicate(number)
    if not S_ISSOCK(os.fstat(fd).st_mode):
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
    with socket.socket(fileno=os.dup(fd)) as handle:
        kind = handle.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
        return Sock(
            fd, handle.family, _TYPES.get(kind, "other"), handle.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
        )


def requests(call: Call, sock: Sock, verb: str, raw: bytes) -> list[Request]:
    """What policy is asked for ``verb`` at address ``raw``; nothing where TOMOYO asks nothing."""
    if sock.family in _INET and sock.type in ("stream", "dgram", "raw"):
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


def _target(call: Call, sock: Sock, raw: bytes) -> Fd:
    """The file that a UNIX path leads the caller to, pinned; -1 when the address has none. Only the text of the
    path is policy's, but it must not be looked up from where the supervisor stands (/proc/self, say)."""
    if sock.family != socket.AF_UNIX or not addresses.is_path(raw):
        return NO_FD
    return call.object(libc.AT_FDCWD, addresses.unix_name(raw) or b"").fd


def bind(call: Call) -> Plan | Answer:
    """bind(2); a UNIX path also makes a file."""
    sock = pin(call, call.args[0])
    raw = message.copy_address(call, call.args[1], call.args[2])
    asked = requests(call, sock, "bind", raw)
    if sock.family == socket.AF_UNIX and addresses.is_path(raw):
        # Another thread may change the working directory meanwhile.
        start = call.cwd()
        call.stand_in[_START] = start
        place = call.place(_START, addresses.unix_name(raw) or b"")
        if call.occupant(place) is not None:
            return -errno.EADDRINUSE
        with_mode = os.fstat(sock.fd).st_mode & 0o777 & ~call.umask()
        asked.append(
            call.request("file mksock", call.place_name(place), with_mode, facts=CallFacts(call, parent1=place.status))
        )

        def perform() -> Answer:
            done = int(call.run("bind_path", sock.fd, raw, start, place.parent, place.last, call.umask()))
            if call.occupant(place) is None:
                call.supervisor.executions.kill(call.process, "the directory of a UNIX address was swapped")
            return done

        return Plan(asked, perform)
    return Plan(asked, lambda: int(call.run("bind", sock.fd, raw)))


def listen(call: Call) -> Plan | Answer:
    """listen(2): named by the address the socket is bound to."""
    sock = pin(call, call.args[0])
    asked = requests(call, sock, "listen", _bound(sock)) if sock.type in ("stream", "seqpacket") else []

    def perform() -> Answer:
        if not call.process.shares_files:
            return PROCEED
        return int(call.run("listen", sock.fd, signed(call.args[1])))

    return Plan(asked, perform)


def _bound(sock: Sock) -> bytes:
    with socket.socket(fileno=os.dup(sock.fd)) as handle:
        name = handle.getsockname()
    if sock.family == socket.AF_UNIX:
        return struct.pack("H", socket.AF_UNIX) + (name if isinstance(name, bytes) else os.fsencode(name))
    if sock.family not in _INET:
        return b""
    port = int(name[1]).to_bytes(2, "big")
    if sock.family == socket.AF_INET:
        return struct.pack("H", sock.family) + port + socket.inet_aton(name[0]) + bytes(8)
    return (
        struct.pack("H", sock.family)
        + port
        + bytes(4)
        + socket.inet_pton(socket.AF_INET6, name[0].partition("%")[0])
        + bytes(4)
    )


def connect(call: Call) -> Plan | Answer:
    """connect(2)."""
    sock = pin(call, call.args[0])
    raw = message.copy_address(call, call.args[1], call.args[2])

    def perform() -> Answer:
        target = _target(call, sock, raw)
        if not sock.blocking or sock.type not in ("stream", "seqpacket"):
            return int(call.run("connect", sock.fd, raw, target))
        try:
            return int(call.run("connect_at_once", sock.fd, raw, target))
        except BlockingIOError:
            return call.run_blocking("connect", sock.fd, raw, target)

    return Plan(requests(call, sock, "connect", raw), perform)


def sendto(call: Call) -> Plan | Answer:
    """sendto(2) with an address."""
    number, at, size, flags, name, name_size = call.args
    raw = message.copy_address(call, name, name_size)
    sock = pin(call, number)
    asked = _sending(call, sock, raw, flags)
    if sock.type == "stream" and not flags & MSG_FASTOPEN and not call.process.shares_files:
        return PROCEED

    def perform() -> Answer:
        return _send(call, sock, call.read(at, min(size, 1 << 22)), [], [], flags, raw)

    return Plan(asked, perform)


def _sending(call: Call, sock: Sock, raw: bytes, flags: int) -> list[Request]:
    if sock.type == "stream":
        return requests(call, sock, "connect", raw) if flags & MSG_FASTOPEN else []
    if not raw or sock.type == "seqpacket":
        return []
    return requests(call, sock, "send", raw)


def _send(
    call: Call,
    sock: Sock,
    payload: bytes,
    control: list[tuple[int, int, bytes]],
    descriptors: list[Fd],
    flags: int,
    raw: bytes,
    then: Callable[[int], Answer] | None = None,
) -> Answer:
    """Sent with the caller's rights; a broken pipe signals the caller as the kernel would."""
    flags &= 0xFFFFFFFF
    arguments = (sock.fd, payload, control, descriptors, flags & 0x7FFFFFFF, raw, _target(call, sock, raw))
    finish = then or (lambda sent: sent)
    try:
        attempt = (*arguments[:4], (flags | socket.MSG_DONTWAIT) & 0x7FFFFFFF, *arguments[5:])
        return finish(int(call.run("send", *attempt)))
    except BlockingIOError:
        if flags & socket.MSG_DONTWAIT or not sock.blocking:
            raise
    except BrokenPipeError:
        if not flags & socket.MSG_NOSIGNAL and sock.type == "stream":
            libc.syscall("tgkill", call.process.tgid, call.tid, signal.SIGPIPE)
        raise
    return call.run_blocking("send", *arguments, then=finish)


def _descriptors(call: Call, numbers: list[int]) -> list[Fd]:
    return [call.duplicate(number) for number in numbers]


def sendmsg(call: Call) -> Plan | Answer:
    """sendmsg(2)."""
    number, at, flags, *_ = call.args
    head = message.header(call, at)
    sock = pin(call, number)
    asked = _sending(call, sock, head.address, flags)
    if _harmless(call, sock, flags):
        return PROCEED
    return Plan(asked, lambda: _send_message(call, sock, head, flags))


def _harmless(call: Call, sock: Sock, flags: int) -> bool:
    """A destination that isn't looked at, on a socket that can't be swapped meanwhile."""
    watched = sock.family in (*_INET, socket.AF_UNIX)
    unaddressed = sock.type in ("stream", "seqpacket") and not flags & MSG_FASTOPEN
    return (unaddressed or not watched) and not call.process.shares_files


def _send_message(
    call: Call, sock: Sock, head: Message, flags: int, then: Callable[[int], Answer] | None = None
) -> Answer:
    control, numbers = message.ancillary(call, head)
    return _send(call, sock, message.data(call, head), control, _descriptors(call, numbers), flags, head.address, then)


def sendmmsg(call: Call) -> Plan | Answer:
    """sendmmsg(2): every message is asked for; only the first one may wait, as long as the others go at once."""
    number, at, count, flags, *_ = call.args
    sock = pin(call, number)
    if _harmless(call, sock, flags):
        return PROCEED
    size = message.HEADER.size + 8
    count = min(count & 0xFFFFFFFF, 1024)
    if not count:
        return 0
    heads = [message.header(call, at + index * size) for index in range(count)]
    asked = [request for head in heads for request in _sending(call, sock, head.address, flags)]

    def perform() -> Answer:
        def sent(length: int) -> Answer:
            call.write(at + message.HEADER.size, struct.pack("I", length))
            return 1 + _send_rest(call, sock, heads[1:], flags, at + size)

        return _send_message(call, sock, heads[0], flags, sent)

    return Plan(asked, perform)


def _send_rest(call: Call, sock: Sock, heads: list[Message], flags: int, at: int) -> int:
    """How many of the further messages went out before one would have had to wait, or failed."""
    for done, head in enumerate(heads):
        try:
            length = _send_message(call, sock, head, flags | socket.MSG_DONTWAIT)
        except OSError:
            return done
        if not isinstance(length, int):
            return done
        call.write(at + done * (message.HEADER.size + 8) + message.HEADER.size, struct.pack("I", length))
    return len(heads)
