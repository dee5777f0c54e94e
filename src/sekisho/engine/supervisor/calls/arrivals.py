"""Calls that wait for a connection or a datagram: looked at anew, from their beginning, when something has come.

Nobody waits in the kernel for what policy has to be asked about first. A signal, a time-out and the caller's
death end a wait as they end the kernel's own (socket(7), signal(7)).
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.acting.socket_actions import reject
from sekisho.engine.supervisor.plan import LATER, Answer
from sekisho.engine.supervisor.system.procfs import signalled

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call
    from sekisho.engine.supervisor.calls.sockets import Sock
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.system.notify import Notification

_QUICK: Final = 0.05
_SLOW: Final = 0.2
"""Seconds between two looks for signals: at calls that began to wait just now, and at those that have for long."""
_LONG: Final = 1.0
_SHARE: Final = 10
"""However many calls wait, looking after them takes no more than this part of the time."""
_EVENTS: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
_ORPHANED: Final = 5.0
"""Seconds that a connection nobody waits for any more is kept for the next accept on its socket."""
_ERESTARTSYS: Final = -512
_TIMEVAL: Final = struct.Struct("qq")


@dataclass(slots=True)
class Connection:
    """An accepted connection that policy hasn't been asked about yet."""

    fd: Fd
    peer: bytes
    listener: int
    """The inode of the socket it came in by."""


@dataclass(slots=True)
class Wait:
    """What is remembered of a call from one look at it to the next."""

    notification: Notification
    began: float
    received: int = 0
    """Datagrams that recvmmsg(2) has handed over so far."""
    connection: Connection | None = None
    fd: int = -1
    """The socket that it waits for; -1 when it doesn't."""
    until: float | None = None
    """When it is looked at again at the latest."""
    interrupted: int = _ERESTARTSYS
    """What a signal makes of it."""


class Arrivals:
    """The waiting calls of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._waits: dict[int, Wait] = {}
        self._next = self._rested = 0.0

    def of(self, call: Call) -> Wait:
        """What is remembered of ``call``."""
        known = self._waits.get(call.notification.id)
        return known or Wait(call.notification, time.monotonic())

    def again(self, call: Call, wait: Wait) -> Answer:
        """``call`` is looked at once more, after everybody else who is there now."""
        return self._park(call, wait, time.monotonic())

    def nothing_yet(self, call: Call, wait: Wait, sock: Sock, *, blocking: bool) -> Answer:
        """``call`` waits until ``sock`` has something, if it is to wait, and for as long as it is to."""
        timeout = receive_timeout(sock)
        until = None if timeout is None else wait.began + timeout
        if not blocking or (until is not None and time.monotonic() >= until):
            return wait.received or -errno.EAGAIN
        wait.interrupted = wait.received or (_ERESTARTSYS if timeout is None else -errno.EINTR)
        return self._park(call, wait, until, sock)

    def hold(self, wait: Wait, connection: Connection) -> None:
        """``connection`` is kept, whatever has to happen before policy has been asked."""
        wait.connection = connection
        self._waits[wait.notification.id] = wait

    def adopt(self, wait: Wait, listener: int) -> Connection | None:
        """The connection that ``wait`` has, or one that came in by the same socket and whose caller is gone."""
        if wait.connection is None:
            for ident, other in self._waits.items():
                found = other.connection
                if found is not None and found.listener == listener and not self._supervisor.listener.valid(ident):
                    wait.connection, other.connection = found, None
                    self._waits[wait.notification.id] = wait
                    break
        return wait.connection

    def _park(self, call: Call, wait: Wait, until: float | None, sock: Sock | None = None) -> Answer:
        self._waits[wait.notification.id] = wait
        if sock is not None and wait.fd < 0:
            # Edge-triggered, and kept from look to look: an error queue that nobody reads is no news.
            wait.fd = os.dup(sock.fd)
            self._supervisor.watch(wait.fd, lambda _: self._look_again(wait), _EVENTS)
        call.close()
        wait.until = until
        self._next = min(self._next, time.monotonic() + _QUICK, until or float("inf"))
        return LATER

    def _look_again(self, wait: Wait) -> None:
        wait.until = None
        if self._supervisor.listener.valid(wait.notification.id):
            self._supervisor.take(wait.notification)
        else:
            self._stop(wait)

    def _stop(self, wait: Wait) -> None:
        wait.until = None
        if wait.fd >= 0:
            self._supervisor.unwatch(wait.fd)
            os.close(wait.fd)
            wait.fd = -1

    def over(self, wait: Wait) -> None:
        """The call that ``wait`` is about has its answer."""
        self._stop(wait)
        self._waits.pop(wait.notification.id, None)

    def patience(self) -> float:
        """How long the loop may sleep, in seconds (-1: as long as it likes)."""
        return max(0.0, self._next - time.monotonic()) if self._waits else -1

    def look(self) -> None:
        """Calls whose time has come are looked at; those whose caller is gone or signalled are given up."""
        now = time.monotonic()
        if not self._waits or now < self._next:
            return
        self._next = now + _SLOW
        spent, rested = 0.0, now >= self._rested
        for ident, wait in list(self._waits.items()):
            if wait.until is not None and wait.until <= now:
                self._look_again(wait)
            elif rested:
                began = time.monotonic()
                self._look_after(ident, wait, now)
                spent += time.monotonic() - began
            if wait.until is not None:
                self._next = min(self._next, wait.until)
            if now < wait.began + _LONG:
                self._next = min(self._next, now + _QUICK)
        if rested:
            self._rested = time.monotonic() + _SHARE * spent

    def _look_after(self, ident: int, wait: Wait, now: float) -> None:
        if not self._supervisor.listener.valid(ident):
            self._caller_gone(wait, now)
        elif (wait.fd >= 0 or wait.until is not None) and signalled(wait.notification.tid):
            self._stop(wait)
            self._supervisor.listener.finish(ident, wait.interrupted)

    def _caller_gone(self, wait: Wait, now: float) -> None:
        self._stop(wait)
        if wait.connection is None or now >= wait.began + _ORPHANED:
            self.refuse(wait)
            self.over(wait)

    def refuse(self, wait: Wait) -> None:
        """The peer of the connection that ``wait`` has, if any, is turned away."""
        if wait.connection is not None:
            reject(wait.connection.fd)
            os.close(wait.connection.fd)
            wait.connection = None

    def close(self) -> None:
        """Nothing is waited for any more."""
        for wait in list(self._waits.values()):
            self.refuse(wait)
            self.over(wait)


def receive_timeout(sock: Sock) -> float | None:
    """Seconds after which a receive on ``sock`` gives up (SO_RCVTIMEO), None when it never does."""
    with socket.socket(fileno=os.dup(sock.fd)) as handle, contextlib.suppress(OSError):
        seconds, micro = _TIMEVAL.unpack(handle.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL.size))
        return seconds + micro / 1_000_000 if seconds or micro else None
    return None


def shut_down(sock: Sock) -> bool:
    """Whether nothing will ever come in again (shutdown(2))."""
    ready = select.poll()
    ready.register(sock.fd, select.POLLRDHUP)
    return any(events & select.POLLRDHUP for _, events in ready.poll(0))
