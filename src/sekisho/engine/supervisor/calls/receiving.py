"""Receives on datagram and raw sockets: the ``recv`` keyword, asked with the sender of the datagram that is next.

The sender is looked at first (MSG_PEEK). The datagram is then received by the supervisor and handed over, so that no
other takes its place, which nobody has been asked about; one that is refused is dropped, and the call goes on with
the next, as in TOMOYO 1.8.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Request
from sekisho.engine.supervisor.acting.closing import close_at_once
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls.arrivals import Arrivals, Wait, shut_down
from sekisho.engine.supervisor.calls.delivery import deliver, descriptors_in, envelope
from sekisho.engine.supervisor.calls.sockets import INET, WATCHED, Sock, mediated, pin, requests, write_address
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan
from sekisho.engine.supervisor.system.transfer import HEADER, Received, receive_raw
from sekisho.policy.model import Mode

_ERRQUEUE: Final = 0x2000
_OOB: Final = 0x1
_PEEK: Final = 0x2
_TRUNC: Final = 0x20
_DONTWAIT: Final = 0x40
_WAITALL: Final = 0x100
_WAITFORONE: Final = 0x10000
_CMSG_CLOEXEC: Final = 0x40000000
_LARGE: Final = 1 << 16
_MULTIPLE: Final = HEADER.size + 8
_MOST: Final = 1024
"""Messages that one recvmmsg(2) gives (UIO_MAXIOV)."""
_UNNAMED: Final = struct.pack("H", socket.AF_UNIX)
_REMEMBERED: Final = 10000
_END: Final = Received(b"", b"", 0, b"", 0)
"""What a receive gives when nothing will ever come in again."""


def recvfrom(call: Call) -> Plan | Answer:
    """recvfrom(2) that asks for the sender's address."""
    number, at, size, flags, name, name_size = call.args

    def hand_over(got: Received) -> Answer:
        if got.data:
            call.write(at, got.data)
        if name:
            write_address(call, got.address, name, name_size)
        return got.length

    sock = _datagrams(call, number, flags)
    return PROCEED if sock is None else _Receive(call, sock, flags, _arrivals(call).of(call), size, 0, hand_over).plan()


def recvmsg(call: Call) -> Plan | Answer:
    """recvmsg(2)."""
    number, at, flags, *_ = call.args
    sock = _datagrams(call, number, flags)
    if sock is None:
        return PROCEED
    to = envelope(call, at)
    wait = _arrivals(call).of(call)
    return _Receive(call, sock, flags, wait, to.size, to.control_size, lambda got: deliver(call, to, got, flags)).plan()


def recvmmsg(call: Call) -> Plan | Answer:
    """recvmmsg(2): each datagram is looked at when it is its turn."""
    number, at, count, flags, timeout, _ = call.args
    sock = _datagrams(call, number, flags)
    count = min(count & 0xFFFFFFFF, _MOST)
    if sock is None or not count:
        return PROCEED
    wait = _arrivals(call).of(call)
    place = at + wait.received * _MULTIPLE
    to = envelope(call, place)

    def hand_over(got: Received) -> Answer:
        deliver(call, to, got, flags)
        call.write(place + HEADER.size, struct.pack("I", got.length))
        wait.received += 1
        if wait.received < count and not _expired(call, wait, timeout):
            return _arrivals(call).again(call, wait)
        return wait.received

    return _Receive(call, sock, flags, wait, to.size, to.control_size, hand_over, several=True).plan()


def _expired(call: Call, wait: Wait, timeout: int) -> bool:
    """Whether a recvmmsg(2) is over; as in the kernel this is looked at when a datagram has come."""
    if not timeout:
        return False
    seconds, nano = struct.unpack("qq", call.read(timeout, 16))
    return time.monotonic() >= wait.began + int(seconds) + int(nano) / 1e9


def _datagrams(call: Call, number: int, flags: int) -> Sock | None:
    """The caller's socket, if what it receives has a sender that policy is asked about."""
    if flags & _ERRQUEUE:
        return None
    try:
        name = os.readlink(f"/proc/{call.tid}/fd/{number & 0xFFFFFFFF}")
    except OSError:
        name = ""
    streams = call.process.streams
    if name in streams:
        return None
    sock = pin(call, number)
    if sock.type in (("dgram", "raw") if sock.family in INET else ("dgram",)) and sock.family in WATCHED:
        call.supervisor.earshot.tune(call.process.domain, sock)
        return sock if mediated(call, sock, "recv") else None
    if len(streams) > _REMEMBERED:
        streams.clear()
    streams.add(name)
    return None


@dataclass(slots=True)
class _Receive:
    """One datagram for one call, which has room for ``room`` bytes of data and ``control_room`` of control messages."""

    call: Call
    sock: Sock
    flags: int
    wait: Wait
    room: int
    control_room: int
    hand_over: Callable[[Received], Answer]
    several: bool = False

    def plan(self) -> Plan:
        """What is asked about the datagram that is next."""
        try:
            first = receive_raw(self.sock.fd, 0, 0, self.flags & _OOB | _PEEK | _DONTWAIT | _TRUNC)
        except BlockingIOError:
            self.call.supervisor.earshot.drained(self.sock)
            return Plan([], self._nothing_yet, always=True)
        except OSError as failure:
            code = failure.errno or errno.EPERM
            return Plan([], lambda: self.wait.received or -code, always=True)
        always = self.several or not _abroad(self.call)
        asked = self._asked(first.address)
        return Plan(asked, lambda: self._take(first), always=always, refused=self._drop_and_go_on)

    def _asked(self, sender: bytes) -> list[Request]:
        if self.call.supervisor.earshot.is_promised(self.sock, sender):
            return []
        return requests(self.call, self.sock, "recv", sender or _UNNAMED)

    def _nothing_yet(self) -> Answer:
        waits = not self.flags & _DONTWAIT and not (self.wait.received and self.flags & _WAITFORONE)
        blocking = waits and self.sock.blocking
        if blocking and shut_down(self.sock):
            return self.hand_over(_END)
        return _arrivals(self.call).nothing_yet(self.call, self.wait, self.sock, blocking=blocking)

    def _drop_and_go_on(self) -> Answer:
        with contextlib.suppress(OSError):
            receive_raw(self.sock.fd, 0, 0, _DONTWAIT)
        return _arrivals(self.call).again(self.call, self.wait)

    def _take(self, expected: Received) -> Answer:
        kept = self.flags & 0x7FFFFFFF & ~(_WAITALL | _WAITFORONE) | _DONTWAIT | _CMSG_CLOEXEC
        try:
            got = receive_raw(
                self.sock.fd, min(self.room, max(_LARGE, expected.length)), min(self.control_room, _LARGE), kept
            )
        except BlockingIOError:
            return self._nothing_yet()
        try:
            # Somebody who isn't held up here may have been faster; what is next now was not asked about.
            if got.address != expected.address and not _granted(self.call, self._asked(got.address)):
                return _arrivals(self.call).again(self.call, self.wait)
            if self._came_without_contents(got):
                return (
                    self._drop_and_go_on() if self.flags & _PEEK else _arrivals(self.call).again(self.call, self.wait)
                )
            return self.hand_over(got)
        except OSError:
            if not self.wait.received:
                raise
            return self.wait.received
        finally:
            for fd in descriptors_in(got.control):
                close_at_once(fd)

    def _came_without_contents(self, got: Received) -> bool:
        """Whether ``got`` came when its sender wasn't to be heard yet: what is left of it is no datagram of anybody's.
        The sender, who is to be heard now, may send it again, as with any that is lost."""
        earshot = self.call.supervisor.earshot
        if self.flags & _OOB or not earshot.emptied(self.sock, got.address, got.length):
            if not self.flags & _PEEK:
                earshot.kept_promise(self.sock, got.address)
            return False
        return True


def _abroad(call: Call) -> bool:
    """Whether ids that come with a datagram (SCM_CREDENTIALS) are other numbers to the caller than to us."""
    return call.process.nested or call.identity().user_namespace != call.supervisor.own.user_namespace


def _arrivals(call: Call) -> Arrivals:
    return call.supervisor.arrivals


def _granted(call: Call, asked: list[Request]) -> bool:
    """Whether policy grants what is ``asked`` without a word, or doesn't enforce it."""
    policy, domain = call.supervisor.judge.policy, call.process.domain
    decisions = [decide(policy, domain, request) for request in asked]
    return all(decision.granted or decision.mode is not Mode.ENFORCING for decision in decisions)
