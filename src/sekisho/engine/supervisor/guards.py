"""Calls that policy has no keyword for, but that could lead around it or change who is who.

In learning, permissive and disabled domains they run as they are; in enforcing ones what
can't be held is refused as an older kernel would refuse it.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from typing import Final

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.plan import PROCEED, Answer

Guard = Callable[[Call], Answer]

CLONE_FILES, CLONE_PARENT, CLONE_THREAD = 0x400, 0x8000, 0x10000
_NEW_VIEW: Final = 0x10000000 | 0x00020000
"""CLONE_NEWUSER and CLONE_NEWNS."""
_PR_SET_DUMPABLE, _PR_SET_MM, _PR_SET_CHILD_SUBREAPER = 4, 35, 36
PRCTLS: Final = (_PR_SET_DUMPABLE, _PR_SET_MM, _PR_SET_CHILD_SUBREAPER)
_PTRACE_ATTACH, _PTRACE_SEIZE = 16, 0x4206
PTRACES: Final = (_PTRACE_ATTACH, _PTRACE_SEIZE)
SECCOMP_FILTER_FLAG_NEW_LISTENER: Final = 8


def _forked(call: Call, flags: int) -> None:
    if flags & CLONE_FILES:
        call.process.shares_files = True
    if not flags & CLONE_THREAD:
        process = call.process
        alone = process.credits == 0 and not flags & _NEW_VIEW
        process.fork_identity = process.identities.get(call.tid) if alone else None
        process.credits += 1


def clone(call: Call) -> Answer:
    """clone(2): a child of somebody else (CLONE_PARENT) couldn't be placed."""
    flags = call.args[0] & 0xFFFFFFFF
    if flags & CLONE_PARENT and not flags & CLONE_THREAD and call.enforcing:
        return -errno.EPERM
    _forked(call, flags)
    return PROCEED


def clone3(call: Call) -> Answer:
    """clone3(2): its flags stand in memory that another thread may change, so that enforcing domains get
    ENOSYS, which the C libraries answer by using clone(2)."""
    if call.enforcing:
        return -errno.ENOSYS
    _forked(call, struct.unpack("Q", call.read(call.args[0], 8))[0])
    return PROCEED


def fork(call: Call) -> Answer:
    """fork(2), vfork(2)."""
    _forked(call, 0)
    return PROCEED


def leave(call: Call) -> Answer:
    """exit_group(2): its children are placed while they can still be asked for."""
    call.supervisor.tasks.settle(call.process)
    return PROCEED


def leave_thread(call: Call) -> Answer:
    """exit(2)."""
    if call.tid == call.process.tgid:
        call.supervisor.tasks.settle(call.process)
    else:
        call.supervisor.tasks.thread_gone(call.tid)
        call.process.identities.pop(call.tid, None)
    return PROCEED


def rights(call: Call) -> Answer:
    """Calls after which the caller's identity must be read anew."""
    call.process.identities.clear()
    return PROCEED


def control(call: Call) -> Answer:
    """prctl(2) where it hides the caller from us, forges its image or adopts others' children."""
    option, value = signed(call.args[0]), call.args[1]
    if option == _PR_SET_CHILD_SUBREAPER:
        call.process.reaper = bool(value)
    elif option == _PR_SET_DUMPABLE:
        return 0 if not value and call.supervisor.own.uids[1] else PROCEED
    elif option == _PR_SET_MM and call.enforcing:
        return -errno.EPERM
    return PROCEED


def _targets(call: Call, pid: int) -> set[int]:
    """The protected processes that ``pid``, as kill(2) reads it, would reach."""
    protected = call.supervisor.guard.processes
    if pid > 0:
        return {pid} & protected
    group = -pid if pid < -1 else os.getpgid(call.process.tgid)
    if pid == -1:
        return set() if call.supervisor.signals_scoped else set(protected)
    return {other for other in protected if _group(other) == group}


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def kill(register: int) -> Guard:
    """kill(2) and its kin: nobody in the tree signals what holds it."""

    def guard(call: Call) -> Answer:
        pid = signed(call.args[register])
        return -errno.EPERM if call.enforcing and _targets(call, pid) else PROCEED

    return guard


def kill_pidfd(call: Call) -> Answer:
    """pidfd_send_signal(2)."""
    if not call.enforcing:
        return PROCEED
    return -errno.EPERM if _pidfd_pid(call, call.args[0]) in call.supervisor.guard.processes else PROCEED


def _pidfd_pid(call: Call, number: int) -> int:
    try:
        with open(f"/proc/{call.tid}/fdinfo/{signed(number)}", encoding="ascii") as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith("Pid:")), 0)
    except FileNotFoundError:
        return 0


def own_process(pid: Callable[[Call], int]) -> Guard:
    """Reaching into a process: only into the caller's own, since any other may enter a domain with more rights
    between our look and the kernel's."""

    def guard(call: Call) -> Answer:
        if not call.enforcing:
            return PROCEED
        known = call.supervisor.tasks.by_tid.get(pid(call))
        return PROCEED if known is call.process else -errno.EPERM

    return guard


def own_pidfd(index: int) -> Guard:
    """The same by pidfd, which nobody else may be able to swap."""
    guard = own_process(lambda call: _pidfd_pid(call, call.args[index]))
    return lambda call: -errno.EPERM if call.enforcing and call.process.shares_files else guard(call)


def register(index: int) -> Callable[[Call], int]:
    """The pid in a register."""
    return lambda call: signed(call.args[index])


def not_ours(index: int) -> Guard:
    """A call on a process by pid that must not be one of ours."""

    def guard(call: Call) -> Answer:
        reached = signed(call.args[index]) in call.supervisor.guard.processes
        return -errno.EPERM if call.enforcing and reached else PROCEED

    return guard


def refuse(code: int, warning: str | None = None) -> Guard:
    """Refused with ``code`` in enforcing domains; ``warning`` is told once where it is let through."""

    def guard(call: Call) -> Answer:
        if call.enforcing:
            return -code
        if warning is not None:
            call.supervisor.warn_once(call.process, warning)
        return PROCEED

    return guard
