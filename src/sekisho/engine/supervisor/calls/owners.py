"""Signals that a descriptor sends: to whom (F_SETOWN) and which (F_SETSIG) is asked for like any other signal.

Both are done in the caller's place, one after the other, so that neither can change while the other is looked at.
The kernel asks for nothing when the signal comes: an owner that enters another domain meanwhile gets it all the same.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import struct
from stat import S_ISSOCK
from typing import Final

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import targets
from sekisho.engine.supervisor.calls.signals import requests
from sekisho.engine.supervisor.calls.targets import Targets
from sekisho.engine.supervisor.plan import Answer, Plan

F_SETOWN: Final = fcntl.F_SETOWN
F_SETSIG: Final = fcntl.F_SETSIG
F_SETOWN_EX, _F_GETOWN_EX = 15, 16
FIOSETOWN, SIOCSPGRP = 0x8901, 0x8902
_NO_GROUP: Final = -(1 << 31)
_THREAD, _PROCESS, GROUP = 0, 1, 2


def named(call: Call) -> tuple[int, int]:
    """(kind, number) of the owner that the call names, number 0 for none; OSError where it can't be one."""
    command, value = call.args[1] & 0xFFFFFFFF, call.args[2]
    if command == F_SETOWN_EX:
        kind, number = struct.unpack("ii", call.read(value, 8))
        if kind not in (_THREAD, _PROCESS, GROUP):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if number < 0:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        return kind, number
    if command in (FIOSETOWN, SIOCSPGRP):
        number = int(struct.unpack("i", call.read(value, 4))[0])
    else:
        number = signed(value)
    if number == _NO_GROUP:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return (_PROCESS, number) if number >= 0 else (GROUP, -number)


def set_owner(call: Call, file: Fd | None = None) -> Plan | Answer:
    """fcntl(F_SETOWN), fcntl(F_SETOWN_EX), ioctl(FIOSETOWN) and ioctl(SIOCSPGRP), on the ``file`` that was pinned."""
    if file is None:
        file = call.opened(call.args[0])
    kind, number = named(call)
    if not number:
        # Not left to the caller: what it points to may name somebody by then.
        return Plan([], lambda: int(call.run("set_owner", file, kind, 0)))
    found = targets.group(call, number) if kind == GROUP else targets.one(call, number)
    if found.ours and call.guarded:
        # The guard has looked as well, but a number that stands in memory may have changed since.
        return -errno.EPERM
    which = fcntl.fcntl(file, fcntl.F_GETSIG) or signal.SIGIO
    signals = {which, signal.SIGURG} if S_ISSOCK(os.fstat(file).st_mode) else {which}
    asked = [request for sig in sorted(signals) for request in requests(call, int(sig), found)]
    return Plan(asked, lambda: int(call.run("set_owner", file, kind, _ours(call, kind, number))))


def _ours(call: Call, kind: int, number: int) -> int:
    """Our number of the owner."""
    if kind == GROUP:
        return next((os.getpgid(pid) for pid in targets.members(call, number)), number)
    return next(iter(targets.numbered(call, number)), number)


def set_signal(call: Call) -> Plan | Answer:
    """fcntl(F_SETSIG)."""
    file, sig = call.duplicate(call.args[0]), signed(call.args[2])
    return Plan(requests(call, sig, _owner(call, file)), lambda: int(call.run("set_signal", file, sig)))


def _owner(call: Call, file: Fd) -> Targets:
    kind, number = struct.unpack("ii", fcntl.fcntl(file, _F_GETOWN_EX, bytes(8)))
    found = Targets()
    if number and kind == GROUP:
        found.add_group(call, number)
    elif number:
        found.add(call, number)
    return found
