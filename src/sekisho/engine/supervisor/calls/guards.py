"""Calls that policy has no keyword for, but that could lead around it or change who is who.

In learning, permissive and disabled domains they run as they are; in enforcing ones what
can't be held is refused as an older kernel would refuse it.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import owners, signals, targets
from sekisho.engine.supervisor.calls.reaching import TRACEME
from sekisho.engine.supervisor.plan import PROCEED, Answer
from sekisho.engine.supervisor.system import procfs
from sekisho.engine.supervisor.tasks import lineage
from sekisho.policy.model import Mode

Guard = Callable[[Call], Answer]

CLONE_FILES, CLONE_PARENT, CLONE_THREAD = 0x400, 0x8000, 0x10000
_NEW_VIEW: Final = 0x10000000 | 0x00020000
"""CLONE_NEWUSER and CLONE_NEWNS."""
_PR_SET_DUMPABLE, _PR_SET_MM, _PR_SET_CHILD_SUBREAPER, _PR_SCHED_CORE = 4, 35, 36, 62
_PR_SET_PDEATHSIG: Final = 1
PRCTLS: Final = (_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_MM, _PR_SET_CHILD_SUBREAPER, _PR_SCHED_CORE)
_PROCESS, _GROUP, _USER = 0, 1, 2
OWNING: Final = (owners.F_SETOWN, owners.F_SETOWN_EX, owners.FIOSETOWN, owners.SIOCSPGRP)
SECCOMP_FILTER_FLAG_NEW_LISTENER: Final = 8


def ask(guard: Guard, call: Call) -> int:
    """The negative errno with which ``guard`` refuses the call, 0 when it doesn't; a guard that fails refuses."""
    try:
        answer = guard(call)
    except OSError as failure:
        return -(failure.errno or errno.EPERM)
    except Exception as bug:
        call.supervisor.warn(f"internal error in a guard: {bug!r}")
        return -errno.EPERM
    return answer if isinstance(answer, int) else 0


def forked(call: Call, flags: int) -> None:
    """A fork with these clone(2) ``flags`` is let through."""
    call.supervisor.underway.forked()
    # A thread that shares no descriptors forks unseen all the same, while its process does something else.
    if flags & (CLONE_FILES | CLONE_THREAD):
        call.process.shares_files = True
    if flags & CLONE_FILES and not flags & CLONE_THREAD:
        call.process.shares_apart = call.supervisor.tasks.sharing = True
    if not flags & CLONE_THREAD:
        process = call.process
        alone = process.credits == 0 and not flags & _NEW_VIEW
        process.fork_identity = process.identities.get(call.tid) if alone else None
        process.credits += 1


def fork(call: Call) -> Answer:
    """fork(2), vfork(2)."""
    forked(call, 0)
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
    """prctl(2) where it hides or forges the caller, adopts children, says who else runs, or asks for a signal."""
    option, value = signed(call.args[0]), call.args[1]
    if option == _PR_SET_PDEATHSIG:
        call.supervisor.ownership.dies_with_parent(call.tid, call.process, value if value <= signals.LAST else 0)
    elif option == _PR_SET_CHILD_SUBREAPER:
        call.process.reaper = bool(value)
    elif option == _PR_SET_DUMPABLE:
        return 0 if not value and call.supervisor.own.uids[1] else PROCEED
    elif option == _PR_SET_MM and call.enforcing:
        return -errno.EPERM
    elif option == _PR_SCHED_CORE:
        return not_ours(2)(call)
    return PROCEED


def _reached(call: Call, number: int) -> set[int]:
    """The protected processes that ``number``, as kill(2) reads it, would reach."""
    protected = call.supervisor.guard.processes
    if number == -1:
        return set() if call.supervisor.signals_scoped else set(protected)
    if number > 0:
        return protected.intersection(targets.numbered(call, number))
    return protected.intersection(targets.members(call, -number))


def kill(call: Call) -> Answer:
    """kill(2): nobody in the tree signals what holds it; a group with it in is signalled without it (``signals``)."""
    number = signed(call.args[0])
    mode = call.supervisor.modes.of(call.process.domain, call.notification.nr, signals.OPERATIONS)
    if mode is Mode.ENFORCING and number <= 0 and number != -1:
        return PROCEED
    return -errno.EPERM if _reached(call, number) else PROCEED


def owner(call: Call) -> Answer:
    """Nor is that made the owner of a descriptor that sends signals."""
    if call.args[1] & 0xFFFFFFFF not in OWNING:
        return PROCEED
    call.opened(call.args[0])
    kind, number = owners.named(call)
    if not number:
        return PROCEED
    return -errno.EPERM if _reached(call, -number if kind == owners.GROUP else number) else PROCEED


def pidfd(call: Call) -> Answer:
    """A call on one of ours by pidfd; a group is reached by any of its members (PIDFD_SIGNAL_PROCESS_GROUP)."""
    pid = targets.behind(call, call.args[0])
    if pid in call.supervisor.guard.processes:
        return -errno.EPERM
    group = call.notification.nr == call.supervisor.architecture.numbers["pidfd_send_signal"] and call.args[3] & 4
    return -errno.EPERM if group and pid and _reached(call, -pid) else PROCEED


def own_pidfd(call: Call) -> Answer:
    """Reaching into a process that policy has no keyword for: only into the caller's own, by a pidfd that nobody else
    may be able to swap."""
    if not call.enforcing:
        return PROCEED
    if call.process.shares_files:
        return -errno.EPERM
    known = call.supervisor.tasks.by_tid.get(targets.behind(call, call.args[0]))
    return PROCEED if known is call.process else -errno.EPERM


def tracing(call: Call) -> Answer:
    """Nobody traces us, nor has itself traced by us."""
    if signed(call.args[0]) == TRACEME:
        ours = lineage(call.tid)[1] in call.supervisor.guard.processes
        return -errno.EPERM if ours else PROCEED
    return not_ours(1)(call)


def priority(whose: int) -> Guard:
    """setpriority(2), ioprio_set(2), whose numbers for a process, a group and a user begin at ``whose``."""

    def guard(call: Call) -> Answer:
        kind, number = signed(call.args[0]) - whose, signed(call.args[1])
        if kind == _USER:
            return -errno.EPERM if _user_has_ours(call, number) else PROCEED
        if not number and kind == _PROCESS:
            return PROCEED
        return -errno.EPERM if _reached(call, -number if kind == _GROUP else number) else PROCEED

    return guard


def _user_has_ours(call: Call, uid: int) -> bool:
    """Whether one of our processes has the user id ``uid``, 0 for the caller's."""
    uid = call.outside("uid", uid) if uid else call.identity().uids[0]
    for pid in call.supervisor.guard.processes:
        try:
            if int(procfs.field(procfs.read(f"/proc/{pid}/status"), b"Uid").split()[0]) == uid:
                return True
        except FileNotFoundError:
            continue
    return False


def not_ours(*indexes: int) -> Guard:
    """A call on processes by pid, none of which may be one of ours."""

    def guard(call: Call) -> Answer:
        reached = any(signed(call.args[index]) in call.supervisor.guard.processes for index in indexes)
        return -errno.EPERM if call.enforcing and reached else PROCEED

    return guard


def refuse(code: int) -> Guard:
    """Refused with ``code`` in domains in which anything is enforced."""
    return lambda call: -code if call.enforcing else PROCEED
