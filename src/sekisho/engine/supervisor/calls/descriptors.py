"""Calls on an open descriptor that policy names: ioctl(2), fcntl(2)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from stat import S_ISSOCK
from typing import Final

from sekisho.decide.request import Request
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import flat, owners
from sekisho.engine.supervisor.calls.opening import access
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts, Plan
from sekisho.policy.model import Mode

F_SETFL: Final = fcntl.F_SETFL
_TIOCGPTN, _TIOCGPTPEER = 0x80045430, 0x5441
_OWN: Final = (0x5450, 0x5451)
"""FIONCLEX and FIOCLEX, which are about the number alone, not about what is open under it."""


def ioctl(call: Call) -> Plan | Answer:
    """ioctl(2). Its argument may be anything, so the kernel runs it, on the checked file: nobody else can change the
    caller's descriptor table, or may meanwhile. Where somebody could, well-known commands are done in its place."""
    command = call.args[1] & 0xFFFFFFFF
    if command == _TIOCGPTPEER:
        return _peer(call)
    shared, owning = call.process.shares_files, command in (owners.FIOSETOWN, owners.SIOCSPGRP)
    found = call.describe(call.descriptor(call.args[0]))
    if shared and (owning or flat.known(command, found)):
        found = call.open_file(call.args[0])
    request = call.request("file ioctl", found.name, command, facts=CallFacts(call, path1=found.status))
    if owning and S_ISSOCK(found.status.st_mode):
        owned = owners.set_owner(call, found.fd if shared else None)
        if isinstance(owned, Plan):
            return Plan([request, *owned.requests], owned.perform)
    if command == owners.FIOASYNC:
        asked = _asynchronous(call, request)
        if asked is not None:
            return asked
    if not shared or command in _OWN or not (owning or _enforced(call)):
        return Plan([request], lambda: PROCEED)
    argument = flat.known(command, found)
    if argument is not None:
        return Plan([request], lambda: flat.perform(call, command, found, argument))
    return Plan([request], lambda: call.supervisor.holding.begin(call, found))


def _asynchronous(call: Call, request: Request) -> Plan | None:
    """ioctl(FIOASYNC) on, done as fcntl(2) does where it makes somebody the owner; None where it doesn't."""
    if not struct.unpack("i", call.read(call.args[2], 4))[0]:
        return None
    file = call.opened(call.args[0])
    flags = fcntl.fcntl(file, fcntl.F_GETFL) | os.O_ASYNC
    owned = owners.listen(call, file, lambda: int(call.run("set_flags", file, flags)))
    return None if owned is None else Plan([request, *owned.requests], owned.perform, changes=True)


def _enforced(call: Call) -> bool:
    """Whether it matters on which file a command is: a profile may leave ioctl out, and enforce signals."""
    config = call.supervisor.judge.policy.config(call.process.domain, "file::ioctl")
    return config.mode is Mode.ENFORCING


def _peer(call: Call) -> Plan | Answer:
    """ioctl(TIOCGPTPEER) opens the other end of a terminal, which is asked for as open(2) would."""
    found, flags = call.open_file(call.args[0]), call.args[2] & 0xFFFFFFFF
    facts = CallFacts(call, path1=found.status)
    asked = [call.request("file ioctl", found.name, _TIOCGPTPEER, facts=facts)]
    try:
        (number,) = struct.unpack("i", fcntl.ioctl(found.fd, _TIOCGPTN, bytes(4)))
    except OSError as failure:
        # It has no other end: nor may another have that is put under its number.
        code = failure.errno or errno.ENOTTY
        return Plan(asked, lambda: -code)
    words = access(flags)
    asked += [call.request(word, f"devpts:/{number}") for word in words]
    call.close_on_exec = bool(flags & os.O_CLOEXEC)

    def perform() -> Answer:
        opened: Fd = call.run("open_peer", found.fd, flags)
        return opened

    return Plan(asked, perform)


def control(call: Call) -> Plan | Answer:
    """fcntl(2), where it stops at all."""
    command = call.args[1] & 0xFFFFFFFF
    if command == F_SETFL:
        return set_flags(call)
    if command in (owners.F_SETLEASE, owners.F_NOTIFY):
        return owners.watch(call)
    return owners.set_signal(call) if command == owners.F_SETSIG else owners.set_owner(call)


def set_flags(call: Call) -> Plan | Answer:
    """fcntl(F_SETFL): gaining O_APPEND asks for append, losing it for write (spec c)."""
    flags = call.args[2] & 0xFFFFFFFF
    found = call.open_file(call.args[0])
    file = found.fd
    before = fcntl.fcntl(file, fcntl.F_GETFL)

    def perform() -> Answer:
        return int(call.run("set_flags", file, flags))

    asks = flags & os.O_ASYNC and not before & (os.O_ASYNC | os.O_PATH)
    owned = (owners.listen(call, file, perform) if asks else None) or Plan([], perform)
    if not (before ^ flags) & os.O_APPEND:
        return owned
    keyword = "file append" if flags & os.O_APPEND else "file write"
    request = call.request(keyword, found.name, facts=CallFacts(call, path1=found.status))
    return Plan([request, *owned.requests], owned.perform)
