"""Sends with a destination: the ``send`` keyword, and ``connect`` for TCP fast open."""

from __future__ import annotations

import errno
import signal
import socket
import struct
from collections.abc import Callable
from typing import Final

from sekisho.decide.request import Request
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import NO_FD, Call
from sekisho.engine.supervisor.calls import autobind, message
from sekisho.engine.supervisor.calls.message import Message
from sekisho.engine.supervisor.calls.sockets import INET, Sock, pin, requests, unix_target
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan
from sekisho.engine.supervisor.system import libc, transfer

MSG_FASTOPEN: Final = 0x20000000
_MSG_ZEROCOPY: Final = 0x4000000


def sendto(call: Call) -> Plan | Answer:
    """sendto(2) with an address."""
    number, at, size, flags, name, name_size = call.args
    raw = message.copy_address(call, name, name_size)
    sock = pin(call, number)
    asked = _sending(call, sock, raw, flags)
    if _harmless(call, sock, flags):
        return PROCEED

    def perform() -> Answer:
        return _send(call, sock, call.read(at, min(size, 1 << 22)), [], [], flags, raw)

    return _planned(call, sock, asked, perform, raw)


def _planned(call: Call, sock: Sock, asked: list[Request], perform: Callable[[], Answer], *destinations: bytes) -> Plan:
    """A send; one with a destination gives the socket a local port, and lets answers be heard there."""
    call.supervisor.earshot.tune(call.process.domain, sock)
    if not asked:
        return Plan(asked, perform)
    chosen_for = autobind.concerned(call, sock)

    def then() -> Answer:
        if chosen_for:
            autobind.bind_before(call, sock, errno.EADDRNOTAVAIL if sock.type == "stream" else errno.EAGAIN)
        if call.supervisor.judge.by_hand:
            for address in destinations:
                call.supervisor.earshot.reached(sock, address)
        return perform()

    return Plan(asked, then, always=chosen_for)


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
    if flags & _MSG_ZEROCOPY:
        # The kernel would go on reading what isn't the caller's memory but ours.
        return -errno.ENOBUFS
    target = unix_target(call, sock, raw) if sock.type == "dgram" else NO_FD
    arguments = (sock.fd, payload, control, descriptors, flags & 0x7FFFFFFF, raw, target)
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
    return _planned(call, sock, asked, lambda: _send_message(call, sock, head, flags), head.address)


def _harmless(call: Call, sock: Sock, flags: int) -> bool:
    """A destination that isn't looked at, on a socket that can't be swapped meanwhile."""
    watched = sock.family in (*INET, socket.AF_UNIX)
    unaddressed = sock.type in ("stream", "seqpacket") and not flags & MSG_FASTOPEN
    return (unaddressed or not watched) and not call.process.shares_files


def _send_message(
    call: Call, sock: Sock, head: Message, flags: int, then: Callable[[int], Answer] | None = None
) -> Answer:
    control, numbers = message.ancillary(call, head)
    if sock.family != socket.AF_UNIX:
        # No other family looks at descriptors, be they open or not.
        numbers = []
    return _send(call, sock, message.data(call, head), control, _descriptors(call, numbers), flags, head.address, then)


def sendmmsg(call: Call) -> Plan | Answer:
    """sendmmsg(2): every message is asked for; only the first one may wait, as long as the others go at once."""
    number, at, count, flags, *_ = call.args
    sock = pin(call, number)
    if _harmless(call, sock, flags):
        return PROCEED
    size = transfer.HEADER.size + 8
    count = min(count & 0xFFFFFFFF, 1024)
    if not count:
        return 0
    heads = [message.header(call, at + index * size) for index in range(count)]
    asked = [request for head in heads for request in _sending(call, sock, head.address, flags)]

    def perform() -> Answer:
        def sent(length: int) -> Answer:
            call.write(at + transfer.HEADER.size, struct.pack("I", length))
            return 1 + _send_rest(call, sock, heads[1:], flags, at + size)

        return _send_message(call, sock, heads[0], flags, sent)

    return _planned(call, sock, asked, perform, *(head.address for head in heads))


def _send_rest(call: Call, sock: Sock, heads: list[Message], flags: int, at: int) -> int:
    """How many of the further messages went out before one would have had to wait, or failed."""
    for done, head in enumerate(heads):
        try:
            length = _send_message(call, sock, head, flags | socket.MSG_DONTWAIT)
        except OSError:
            return done
        if not isinstance(length, int):
            return done
        call.write(at + done * (transfer.HEADER.size + 8) + transfer.HEADER.size, struct.pack("I", length))
    return len(heads)
