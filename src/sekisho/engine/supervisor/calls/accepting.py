"""accept(2): the ``accept`` keyword, asked when the peer is known.

The supervisor takes the connection out of its queue in every mode, since nothing else tells who the peer is. One
that is refused is reset, and the call goes on with the next, as in TOMOYO 1.8.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Final

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.acting.closing import close_at_once
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import limits
from sekisho.engine.supervisor.calls.arrivals import Arrivals, Connection, Wait, shut_down
from sekisho.engine.supervisor.calls.sockets import Sock, mediated, pin, requests, write_address
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan

_CLOEXEC: Final = os.O_CLOEXEC
_NONBLOCK: Final = os.O_NONBLOCK


def accept(flags: int | None = None) -> Callable[[Call], Plan | Answer]:
    """The planner of accept(2), or of accept4(2) with its flags in register ``flags``."""
    return lambda call: _plan(call, 0 if flags is None else call.args[flags] & 0xFFFFFFFF)


def _plan(call: Call, flags: int) -> Plan | Answer:
    call.opened(call.args[0])
    if flags & ~(_CLOEXEC | _NONBLOCK):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    try:
        sock = pin(call, call.args[0])
    except OSError:
        if limits.descriptors_used_up(call):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE)) from None
        raise
    if not mediated(call, sock, "accept") and not (call.enforcing and call.process.shares_files):
        return PROCEED
    arrivals = call.supervisor.arrivals
    wait = arrivals.of(call)
    try:
        connection = _next(call, sock, wait)
    except BlockingIOError:
        if sock.blocking and shut_down(sock):
            return Plan([], lambda: -errno.EINVAL, always=True)
        return Plan([], lambda: arrivals.nothing_yet(call, wait, sock, blocking=sock.blocking), always=True)
    except OSError as failure:
        code = failure.errno or errno.EPERM
        return Plan([], lambda: -code, always=True)

    def refused() -> Answer:
        arrivals.refuse(wait)
        return arrivals.again(call, wait)

    def perform() -> Answer:
        return _hand_over(call, arrivals, wait, flags)

    return Plan(requests(call, sock, "accept", connection.peer), perform, always=True, refused=refused)


def _next(call: Call, sock: Sock, wait: Wait) -> Connection:
    """The connection that ``call`` is about, taken out of the queue at most once."""
    arrivals = call.supervisor.arrivals
    inode = os.fstat(sock.fd).st_ino
    known = arrivals.adopt(wait, inode)
    if known is not None:
        return known
    if limits.descriptors_used_up(call):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    fd, peer = call.run("accept_at_once", sock.fd)
    known = Connection(Fd(fd), peer, inode)
    arrivals.hold(wait, known)
    return known


def _hand_over(call: Call, arrivals: Arrivals, wait: Wait, flags: int) -> Answer:
    connection = wait.connection
    assert connection is not None
    wait.connection = None
    arrivals.over(wait)
    try:
        if call.args[1]:
            write_address(call, connection.peer, call.args[1], call.args[2])
        os.set_blocking(connection.fd, not flags & _NONBLOCK)
    except OSError as failure:
        close_at_once(connection.fd)
        return -(failure.errno or errno.EFAULT)
    call.close_on_exec = bool(flags & _CLOEXEC)
    call.lingering.add(connection.fd)
    return connection.fd
