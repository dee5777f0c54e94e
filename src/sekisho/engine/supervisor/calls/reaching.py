"""Reaching into another process: ``ipc ptrace``, ``read_memory``, ``write_memory``, ``get_descriptor``.

What was checked is left to the kernel, whose own rules (ids, yama, dumpable) hold as ever: nothing is lent. But the
other process may enter a domain with more rights between our look and the kernel's: not before the call is over
(``underway``).

An exec of a process that is traced can't be verified. It may happen where the tracer may trace the new domain as well.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import targets
from sekisho.engine.supervisor.calls.targets import Targets
from sekisho.engine.supervisor.plan import PROCEED, Answer, Plan
from sekisho.engine.supervisor.system import libc, procfs
from sekisho.engine.supervisor.tasks import Process, lineage
from sekisho.policy.model import Domain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor

TRACEME, ATTACH, SEIZE = 0, 16, 0x4206
_YAMA: Final = "/proc/sys/kernel/yama/ptrace_scope"


class Reaching:
    """Who traces whom in one supervisor's tree."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.traced = False
        """Some process of the tree may be traced by another."""

    def tracer(self, tid: int) -> Process | None:
        """The process of the tree that traces task ``tid``."""
        if not self.traced:
            return None
        number = int(procfs.field(procfs.read(f"/proc/{tid}/status"), b"TracerPid"))
        return self._supervisor.tasks.by_tgid.get(number)

    def may_trace(self, call: Call, tracer: Process, destination: Domain) -> bool:
        """Whether ``tracer`` may go on tracing the caller when that enters ``destination``."""
        return self._supervisor.judge.allows(tracer.domain, [call.request("ipc ptrace", destination.name)])


def trace(call: Call) -> Plan | Answer:
    """ptrace(2) with which tracing begins. PTRACE_TRACEME is asked of the parent's domain, whose gain it is."""
    reaching = call.supervisor.executions.reaching
    reaching.traced = True
    if signed(call.args[0]) == TRACEME:
        return _traced_by_parent(call)
    return _reach(call, _numbered(call, 1), "ptrace", "capability SYS_PTRACE")


def _traced_by_parent(call: Call) -> Answer:
    parent = call.supervisor.tasks.by_tgid.get(lineage(call.tid)[1])
    if parent is None:
        return -errno.EPERM if call.guarded else PROCEED
    asked = [call.request("capability SYS_PTRACE"), call.request("ipc ptrace", call.process.domain.name)]
    return PROCEED if call.supervisor.judge.allows(parent.domain, asked) else -errno.EPERM


def _numbered(call: Call, index: int) -> Targets:
    """The process whose number stands in register ``index``. Another thread of the caller's own may end, who is dead be
    forgotten, and its number be somebody else's before the kernel looks."""
    number = signed(call.args[index])
    found = targets.one(call, number)
    if found.dead:
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
    safe = {call.process.tgid, call.tid}
    if found.own and call.guarded and not safe.intersection(targets.numbered(call, number)):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    return found


def read_memory(call: Call) -> Plan | Answer:
    """process_vm_readv(2)."""
    return _reach(call, _numbered(call, 0), "read_memory")


def write_memory(call: Call) -> Plan | Answer:
    """process_vm_writev(2)."""
    return _reach(call, _numbered(call, 0), "write_memory")


def get_descriptor(call: Call) -> Plan | Answer:
    """pidfd_getfd(2); where somebody else may swap the pidfd, it is done in the caller's place with the pinned one."""
    if call.guarded and call.process.shares_files:
        return _get_descriptor(call)
    pid, found = targets.behind(call, call.args[0]), Targets()
    if pid:
        found.add(call, pid)
    return _reach(call, found, "get_descriptor")


def _get_descriptor(call: Call) -> Plan | Answer:
    pidfd = call.duplicate(call.args[0])
    pid, found = targets.behind_ours(call, pidfd), Targets()
    if pid:
        found.add(call, pid)

    def perform() -> Answer:
        call.close_on_exec = True
        if pid == call.process.tgid:
            return Fd(libc.pidfd_getfd(call.process.pidfd, signed(call.args[1])))
        if _yama():
            # Who may trace whom depends on who is whose ancestor: we are everybody's.
            return -errno.EPERM
        taken = call.run("get_descriptor", pidfd, signed(call.args[1]))
        assert isinstance(taken, Fd)
        return taken

    if found.ours:
        return -errno.EPERM
    return Plan([call.request("ipc get_descriptor", name) for name in found.domains(call)], perform, always=True)


def _yama() -> bool:
    try:
        return procfs.read(_YAMA).strip() != b"0"
    except OSError:
        return False


def _reach(call: Call, found: Targets, verb: str, *also: str) -> Plan | Answer:
    names = found.domains(call)
    if not names:
        return PROCEED
    asked = [*(call.request(keyword) for keyword in also), *(call.request(f"ipc {verb}", name) for name in names)]

    def perform() -> Answer:
        if len(found.processes) > 1:
            return -errno.EPERM
        return call.supervisor.underway.let_go(call, found.processes, by_number=found.loose)

    return Plan(asked, perform)
