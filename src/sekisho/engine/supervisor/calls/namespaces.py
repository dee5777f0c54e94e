"""``capability use_…_namespace``, and the forks that come with them: clone(2), clone3(2), unshare(2), setns(2)."""

from __future__ import annotations

import errno
import struct
from fcntl import ioctl
from typing import Final

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import guards
from sekisho.engine.supervisor.calls.capabilities import ask
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan

_NEW_PID, _NEW_TIME = 0x20000000, 0x80
KINDS: Final = {
    0x10000000: "user",
    0x00020000: "mount",
    _NEW_PID: "pid",
    0x40000000: "network",
    0x08000000: "ipc",
    0x04000000: "uts",
    0x02000000: "cgroup",
    _NEW_TIME: "time",
}
"""By CLONE_NEW… flag."""
ALL: Final = sum(KINDS)
OPERATIONS: Final = tuple(f"capability::use_{kind}_namespace" for kind in KINDS.values())
_EXIT_SIGNAL: Final = 0xFF
"""The bits of clone(2)'s flags that name a signal; CLONE_NEWTIME, which is among them, can't be asked for there."""
_NS_GET_NSTYPE: Final = 0xB703


def _names(flags: int) -> list[str]:
    return [f"use_{kind}_namespace" for flag, kind in KINDS.items() if flags & flag]


def clone(call: Call) -> Plan | Answer:
    """clone(2): a child of somebody else (CLONE_PARENT) couldn't be placed."""
    flags = call.args[0] & 0xFFFFFFFF
    if flags & guards.CLONE_PARENT and not flags & guards.CLONE_THREAD and call.guarded:
        return -errno.EPERM
    return _fork(call, flags & ~_EXIT_SIGNAL)


def clone3(call: Call) -> Plan | Answer:
    """clone3(2): its flags stand in memory that another thread may change, so that domains in which anything is
    enforced get ENOSYS, which the C libraries answer by using clone(2)."""
    if call.guarded:
        return -errno.ENOSYS
    return _fork(call, struct.unpack("Q", call.read(call.args[0], 8))[0])


def _fork(call: Call, flags: int) -> Plan | Answer:
    if not flags & ALL:
        guards.forked(call, flags)
        return PROCEED
    asked = ask(call, *_names(flags))

    def perform() -> Answer:
        guards.forked(call, flags)
        _entered(call, flags)
        return PROCEED

    asked.perform, asked.always = perform, True
    return asked


def unshare(call: Call) -> Plan | Answer:
    """unshare(2)."""
    return _enter(call, call.args[0] & 0xFFFFFFFF)


def setns(call: Call) -> Plan | Answer:
    """setns(2): without a type it is that of the descriptor, and all of them where somebody else may swap that."""
    flags = call.args[1] & 0xFFFFFFFF
    return _enter(call, flags or (ALL if call.process.shares_files else _kind(call)))


def _kind(call: Call) -> int:
    try:
        return ioctl(call.duplicate(call.args[0]), _NS_GET_NSTYPE)
    except OSError:
        return 0


def _enter(call: Call, flags: int) -> Plan:
    """The caller's rights and view must be read anew afterwards."""
    asked = ask(call, *_names(flags))

    def perform() -> Answer:
        call.process.identities.clear()
        _entered(call, flags)
        return PROCEED

    asked.perform, asked.always = perform, True
    return asked


def _entered(call: Call, flags: int) -> None:
    """Children to come may be numbered anew, and adopted by the first of them."""
    if flags & _NEW_PID:
        call.process.nests = call.supervisor.tasks.nested = True
