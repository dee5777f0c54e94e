"""``ipc signal``: who may send which signal to whom.

The sender's own process is never asked for, nor signal 0. A process group is asked for domain by domain, and so is
everybody (-1), which is always somebody outside, too. What is checked is then left to the kernel, so that the
receiver sees who sent it, and receivers stay in their domains until it is sent (``underway``); only where the tree is
shut off from the rest (Landlock) is a signal to a process outside sent in the caller's place.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from typing import Final

from sekisho.decide.request import Request
from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import targets
from sekisho.engine.supervisor.calls.targets import Targets
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan
from sekisho.policy.model import Mode

OPERATIONS: Final = ("ipc::signal",)
LAST: Final = 64
_PROCESS_GROUP: Final = 4
"""PIDFD_SIGNAL_PROCESS_GROUP."""
_INFORMATION: Final = 128
"""sizeof(siginfo_t)."""
_EVERYBODY: Final = -1


def kill(call: Call) -> Plan | Answer:
    """kill(2)."""
    number, sig = signed(call.args[0]), signed(call.args[1])
    if _unasked(call) or (number == call.process.tgid and not call.process.nested):
        return PROCEED
    if number > 0:
        return _plan(call, sig, targets.one(call, number), lambda: int(call.run("kill", number, sig)))
    if number == _EVERYBODY:
        return _plan(call, sig, targets.everybody(call), several=True)
    found = targets.group(call, -number)
    if found.ours:
        return Plan(requests(call, sig, found), lambda: _spare_ours(call, found, sig))
    return _plan(call, sig, found, several=True)


def _spare_ours(call: Call, found: Targets, sig: int) -> int:
    """Everybody in the group has been sent ``sig`` but what holds the caller, which comes last."""
    own, sent = call.process.tgid, 0
    for pid in sorted(found.pids, key=lambda pid: pid == own):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            call.run("kill", pid, sig)
            sent += 1
    return 0 if sent else -errno.EPERM


def kill_thread(call: Call) -> Plan | Answer:
    """tkill(2)."""
    number, sig = signed(call.args[0]), signed(call.args[1])
    if _unasked(call):
        return PROCEED
    return _plan(call, sig, targets.one(call, number), lambda: int(call.run("tkill", number, sig)))


def kill_group_thread(call: Call) -> Plan | Answer:
    """tgkill(2): raise(3), pthread_kill(3) and abort(3) come here with the process's own number."""
    group, thread, sig = (signed(value) for value in call.args[:3])
    if _unasked(call) or (group == call.process.tgid and not call.process.nested):
        return PROCEED
    return _plan(call, sig, targets.one(call, group), lambda: int(call.run("tgkill", group, thread, sig)))


def queue(call: Call) -> Plan | Answer:
    """rt_sigqueueinfo(2)."""
    number, sig, at = signed(call.args[0]), signed(call.args[1]), call.args[2]
    if _unasked(call):
        return PROCEED
    found = targets.one(call, number)
    return _plan(call, sig, found, lambda: int(call.run("queue_signal", number, sig, call.read(at, _INFORMATION))))


def queue_to_thread(call: Call) -> Plan | Answer:
    """rt_tgsigqueueinfo(2)."""
    group, thread, sig = (signed(value) for value in call.args[:3])
    if _unasked(call):
        return PROCEED

    def outside() -> int:
        return int(call.run("queue_thread_signal", group, thread, sig, call.read(call.args[3], _INFORMATION)))

    return _plan(call, sig, targets.one(call, group), outside)


def kill_pidfd(call: Call) -> Plan | Answer:
    """pidfd_send_signal(2); a descriptor that somebody else may swap is pinned and used in the caller's place."""
    number, sig, at, flags = call.args[0], signed(call.args[1]), call.args[2], call.args[3] & 0xFFFFFFFF
    swappable = call.guarded and call.process.shares_files
    # PIDFD_SELF_THREAD and the like are no descriptors.
    pidfd = call.duplicate(number) if swappable and signed(number) >= 0 else None
    pid = targets.behind(call, number) if pidfd is None else targets.behind_ours(call, pidfd)
    found = Targets()
    if flags & _PROCESS_GROUP:
        for leader in {pid} if signed(number) >= 0 else {call.process.tgid, call.tid}:
            found.add_group(call, leader)
    elif pid:
        found.add(call, pid)
    # A pidfd stays who it is.
    found.loose = False

    def send() -> int:
        information = call.read(at, _INFORMATION) if at else b""
        return int(call.run("send_by_pidfd", pidfd or call.duplicate(number), sig, information, flags))

    if pidfd is None:
        return _plan(call, sig, found, send, several=bool(flags & _PROCESS_GROUP))
    return -errno.EPERM if found.ours else Plan(requests(call, sig, found), send, always=True)


def requests(call: Call, sig: int, found: Targets) -> list[Request]:
    """What policy is asked for ``sig`` to everybody found."""
    return [call.request("ipc signal", sig, name) for name in found.domains(call)] if 0 < sig <= LAST else []


def _unasked(call: Call) -> bool:
    """Nothing is looked at, and the kernel lets the caller send what it likes."""
    mode = call.supervisor.modes.of(call.process.domain, call.notification.nr, OPERATIONS)
    return mode is Mode.DISABLED and not call.supervisor.signals_scoped


def _plan(
    call: Call, sig: int, found: Targets, outside: Callable[[], int] | None = None, *, several: bool = False
) -> Plan | Answer:
    """``outside`` sends it where the kernel wouldn't let the caller; ``several`` are all who the kernel finds then."""
    asked = requests(call, sig, found)
    if found.outside and outside is not None and call.supervisor.signals_scoped and not call.process.nested:
        return Plan(asked, outside, always=True)
    if not 0 < sig <= LAST or not (several or found.loose or found.processes):
        return Plan(asked, lambda: PROCEED) if asked else PROCEED
    reached = None if several else found.processes
    return Plan(asked, lambda: call.supervisor.underway.let_go(call, reached, by_number=several or found.loose))
