"""Joining a process group (setpgid(2)): who joins one is sent the signals that are sent to it."""

from __future__ import annotations

import errno
import os

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import targets
from sekisho.engine.supervisor.calls.targets import Targets
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts


def join(call: Call) -> Answer:
    """setpgid(2): the kernel does it; who looks at the group meanwhile counts those who are about to join it."""
    number, wanted = (signed(value) for value in call.args[:2])
    found = Targets(own=True) if not number else _named(call, number)
    joining = found.processes | ({call.process} if found.own else set())
    for process in joining:
        group = _group(call, wanted) or process.tgid
        destination = call.supervisor.executions.destination(process.tgid)
        names = {process.domain.name} | ({destination.name} if destination else set())
        if not call.supervisor.ownership.may_join(group, names, CallFacts(call)):
            return -errno.EPERM
        call.supervisor.underway.let_go(call, [process], by_number=found.loose, group=group)
    return PROCEED


def _named(call: Call, number: int) -> Targets:
    try:
        return targets.one(call, number)
    except ProcessLookupError:
        return Targets()


def _group(call: Call, wanted: int) -> int:
    """Our number of the group ``wanted``; 0 for one's own."""
    if not wanted:
        return 0
    if not call.process.nested:
        return wanted
    return next((os.getpgid(pid) for pid in targets.members(call, wanted)), 0)
