"""Calls on an open descriptor that policy names: ioctl(2), fcntl(2)."""

from __future__ import annotations

import fcntl
import os
from stat import S_ISSOCK
from typing import Final

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import owners
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts, Plan

F_SETFL: Final = fcntl.F_SETFL


def ioctl(call: Call) -> Plan | Answer:
    """ioctl(2). Its argument may be anything, so the kernel runs it: on the checked file wherever the
    descriptor table is the caller's alone."""
    command = call.args[1] & 0xFFFFFFFF
    found = call.describe(call.descriptor(call.args[0]))
    request = call.request("file ioctl", found.name, command, facts=CallFacts(call, path1=found.status))
    if command in (owners.FIOSETOWN, owners.SIOCSPGRP) and S_ISSOCK(found.status.st_mode):
        owned = owners.set_owner(call)
        if isinstance(owned, Plan):
            return Plan([request, *owned.requests], owned.perform)
    return Plan([request], lambda: PROCEED)


def control(call: Call) -> Plan | Answer:
    """fcntl(2), where it stops at all."""
    command = call.args[1] & 0xFFFFFFFF
    if command == F_SETFL:
        return set_flags(call)
    return owners.set_signal(call) if command == owners.F_SETSIG else owners.set_owner(call)


def set_flags(call: Call) -> Plan | Answer:
    """fcntl(F_SETFL): gaining O_APPEND asks for append, losing it for write (spec c)."""
    flags = call.args[2] & 0xFFFFFFFF
    found = call.open_file(call.args[0])
    file = found.fd
    before = fcntl.fcntl(file, fcntl.F_GETFL)
    if not (before ^ flags) & os.O_APPEND:
        return Plan([], lambda: int(call.run("set_flags", file, flags)))
    keyword = "file append" if flags & os.O_APPEND else "file write"
    request = call.request(keyword, found.name, facts=CallFacts(call, path1=found.status))
    return Plan([request], lambda: int(call.run("set_flags", file, flags)))
