"""Signals that a descriptor sends: to whom (F_SETOWN) and which (F_SETSIG) is asked for like any other signal.

Both are done in the caller's place, one after the other, so that neither can change while the other is looked at.
The kernel asks for nothing when the signal comes: whoever is made an owner is held to that later (``ownership``).
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import struct
from collections.abc import Callable
from stat import S_ISCHR, S_ISSOCK
from typing import Final

from sekisho.decide.request import Request
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import targets, terminal
from sekisho.engine.supervisor.calls.signals import requests
from sekisho.engine.supervisor.calls.targets import Targets
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan

F_SETOWN: Final = fcntl.F_SETOWN
F_SETSIG: Final = fcntl.F_SETSIG
F_SETOWN_EX, _F_GETOWN_EX = 15, 16
F_SETLEASE: Final = fcntl.F_SETLEASE
F_NOTIFY: Final = fcntl.F_NOTIFY
COMMANDS: Final = (F_SETOWN, F_SETOWN_EX, F_SETSIG, F_SETLEASE, F_NOTIFY)
"""What of fcntl(2) is looked at for the signals that come of it."""
FIOSETOWN, SIOCSPGRP, FIOASYNC = 0x8901, 0x8902, 0x5452
_TUN: Final = os.makedev(10, 200)
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
    signals = _signals(file)
    asked = [request for sig in sorted(signals) for request in _requests(call, sig, found)]

    def note() -> None:
        _note(call, found, signals, _ours(call, kind, number) if kind == GROUP else 0)

    def perform() -> Answer:
        done = int(call.run("set_owner", file, kind, _ours(call, kind, number)))
        note()
        return done

    return _noted(call, asked, perform, note)


def _noted(call: Call, asked: list[Request], perform: Callable[[], Answer], note: Callable[[], None]) -> Plan:
    """The plan; where it is the kernel that carries it out, that is noted now."""
    if not call.enforcing:
        note()
    return Plan(asked, perform)


def _signals(file: Fd) -> set[int]:
    """What ``file`` sends to its owner."""
    which = fcntl.fcntl(file, fcntl.F_GETSIG) or int(signal.SIGIO)
    return {which, int(signal.SIGURG)} if S_ISSOCK(os.fstat(file).st_mode) else {which}


def _requests(call: Call, sig: int, found: Targets) -> list[Request]:
    """What is asked for ``sig`` to those found; to the caller itself where it is about to become another program."""
    asked = requests(call, sig, found)
    destination = call.supervisor.executions.destination(call.process.tgid) if found.own else None
    if destination is not None and destination is not call.process.domain:
        asked.append(call.request("ipc signal", sig, destination.name))
    return asked


def _note(call: Call, found: Targets, signals: set[int], group: int) -> None:
    """From now on the caller's domain is behind these signals to those found, or to the process group ``group``."""
    ownership, domain = call.supervisor.ownership, call.process.domain
    if group:
        ownership.group_owns(group, domain, signals)
        return
    for process in found.processes | ({call.process} if found.own else set()):
        ownership.owns(process, domain, signals)


def _ours(call: Call, kind: int, number: int) -> int:
    """Our number of the owner."""
    if kind == GROUP:
        return next((os.getpgid(pid) for pid in targets.members(call, number)), number)
    return next(iter(targets.numbered(call, number)), number)


def set_signal(call: Call) -> Plan | Answer:
    """fcntl(F_SETSIG)."""
    file, sig = call.duplicate(call.args[0]), signed(call.args[2])
    kind, number, found = _owner(call, file)
    which = sig or int(signal.SIGIO)

    def note() -> None:
        call.supervisor.ownership.chosen(call.process.domain, which)
        _note(call, found, {which}, number if kind == GROUP else 0)

    def perform() -> Answer:
        done = int(call.run("set_signal", file, sig))
        note()
        return done

    return _noted(call, _requests(call, which, found), perform, note)


def _owner(call: Call, file: Fd) -> tuple[int, int, Targets]:
    kind, number = struct.unpack("ii", fcntl.fcntl(file, _F_GETOWN_EX, bytes(8)))
    found = Targets()
    if number and kind == GROUP:
        found.add_group(call, number)
    elif number:
        found.add(call, number)
    return kind, number, found


def watch(call: Call) -> Plan | Answer:
    """fcntl(F_SETLEASE) and fcntl(F_NOTIFY), by which the kernel makes the caller the owner where there is none."""
    if signed(call.args[1]) == F_SETLEASE and signed(call.args[2]) == fcntl.F_UNLCK:
        return PROCEED
    file = call.duplicate(call.args[0])
    found, signals = Targets(own=True), _signals(file)
    asked = [request for sig in sorted(signals) for request in _requests(call, sig, found)]
    call.supervisor.ownership.owns(call.process, call.process.domain, signals, uncertain=True)
    return Plan(asked, lambda: PROCEED) if asked else PROCEED


def listen(call: Call, file: Fd, perform: Callable[[], Answer]) -> Plan | None:
    """Signals of ``file`` are asked for (O_ASYNC, FIOASYNC), which makes the foreground group of a terminal the owner,
    or the caller, where there is none: that is done before ``perform``; None where nobody is made the owner."""
    if not S_ISCHR(os.fstat(file).st_mode) or _owner(call, file)[1]:
        return None
    group = terminal.foreground(file)
    if group is None and os.fstat(file).st_rdev != _TUN:
        return None
    kind, number, found, signals = _PROCESS, call.process.tgid, Targets(), _signals(file)
    if group:
        kind, number = GROUP, group
        found.add_group(call, group)
    else:
        found.own = True

    def own() -> Answer:
        call.run("set_owner", file, kind, number)
        _note(call, found, signals, group or 0)
        return perform()

    asked = [request for sig in sorted(signals) for request in _requests(call, sig, found)]
    return _noted(call, asked, own, lambda: _note(call, found, signals, group or 0))
