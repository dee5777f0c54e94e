"""What the interface files show and change of the running system."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sekisho.decide.request import Facts, Task
from sekisho.domain.transition import creation_lines, enter, plan_manual_transition
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon.questions import Questions
from sekisho.engine.lsm.daemon.tasks import look_at, processes
from sekisho.engine.records import RecordQueue
from sekisho.errors import SekishoError
from sekisho.interface.authority import ProcessState
from sekisho.names.word import encode
from sekisho.policy.model import Domain, Policy
from sekisho.policy.stat import Statistics

if TYPE_CHECKING:
    from sekisho.engine.lsm.daemon.service import Service

_PIDFD_THREAD: Final = os.O_EXCL
_DELETED: Final = b" (deleted)"
_KERNEL: Final = "<kernel>"


class SystemAuthority:
    """The whole system, as ``interface.authority.Authority``."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._system = service.system
        self.policy: Policy = service.policy
        self.questions: Questions = service.questions
        self.audit: RecordQueue = service.keeper.records
        self.owner = os.geteuid()

    @property
    def active(self) -> bool:
        """Whether policy is in force: it isn't in a panic."""
        return bool(self._system.state.active)

    @property
    def statistics(self) -> Statistics:
        """The counters, this daemon's included."""
        return self._service.keeper.statistics

    @statistics.setter
    def statistics(self, value: Statistics) -> None:
        self._service.keeper.statistics = value

    def changed(self) -> None:
        """Policy as it is now holds for whoever asks next, and is saved soon; what the kernel can't take is told."""
        self._service.keeper.updated(by_hand=True)
        try:
            self._service.publish()
        except (OSError, MemoryError, SekishoError) as error:
            self._service.say(f"what was changed doesn't hold yet: {error}")

    def domain_of(self, pid: int) -> Domain | None:
        """The domain of a process or thread; None where there is none such, or it is the engine's own affair."""
        carried = self._carried(pid)
        if carried is None:
            return self.policy.domains[_KERNEL] if os.path.exists(f"/proc/{pid}") else None
        return self.policy.domains.get(self._system.publisher.domains.name(carried.domain) or "")

    def _carried(self, pid: int) -> layout.Task | None:
        """What the task carries, or its process where only that has something, or can be asked for."""
        for number, flags in ((pid, 0), (pid, _PIDFD_THREAD), (_process_of(pid), 0)):
            raw = self._lookup(number, flags)
            if raw is not None:
                return layout.Task.from_buffer_copy(raw)
        return None

    def _lookup(self, pid: int, flags: int) -> bytes | None:
        try:
            fd = os.pidfd_open(pid, flags)
        except OSError:
            return None
        try:
            return self._system.loaded.maps["tasks"].lookup(fd)
        except OSError:
            return None
        finally:
            os.close(fd)

    def is_outside(self, pid: int) -> bool:
        """Whether process ``pid`` is there, and policy trusts it with the engine."""
        try:
            return self._system.trusts(pid)
        except OSError:
            return False

    def executable_of(self, pid: int) -> str | None:
        """The encoded real path of the process's program; None where that is another's mount namespace's affair."""
        try:
            foreign = os.stat(f"/proc/{pid}/ns/mnt").st_ino != os.stat("/proc/1/ns/mnt").st_ino
            return None if foreign else encode(os.readlink(os.fsencode(f"/proc/{pid}/exe")).removesuffix(_DELETED))
        except OSError:
            return None

    def processes(self) -> Iterator[ProcessState]:
        """The processes of the system that aren't the kernel's own, parents first."""
        for process in processes():
            carried = self._carried(process.pid) if process.program is not None else None
            name = self._system.publisher.domains.name(carried.domain) if carried is not None else None
            domain = self.policy.domains.get(name or "")
            if carried is not None and domain is not None:
                handler = bool(carried.flags & layout.TASK_HANDLER)
                waiting = self.questions.waiting(process.pid)
                yield ProcessState(process.pid, process.parent, domain, handler, waiting)

    def move(self, tid: int, name: str) -> None:
        """Task ``tid`` is in the domain ``name``; OSError with the errno of spec a.4."""
        domain = self.domain_of(tid)
        carried = self._carried(tid)
        if domain is None or carried is None:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        facts = _facts(tid)
        plan = plan_manual_transition(self.policy, domain, name, facts)
        if plan.failure is not None:
            code = getattr(errno, plan.failure)
            raise OSError(code, os.strerror(code))
        destination = enter(self.policy, plan, domain)
        if plan.creates:
            for line in creation_lines(destination):
                self._service.keeper.note(destination, line, facts)
            self._service.keeper.updated(by_hand=True)
            self._service.publish([destination])
        carried.domain = self._system.publisher.domains.domain(destination.name)
        self._give(tid, carried)

    def _give(self, tid: int, carried: layout.Task) -> None:
        """The task carries that; it waits for the answer to its write, and does nothing else meanwhile."""
        try:
            fd = os.pidfd_open(tid, 0 if _process_of(tid) == tid else _PIDFD_THREAD)
        except OSError as error:
            # A thread, on a kernel that has no descriptors for those.
            raise PermissionError(errno.EPERM, "no domain of its own") from error
        try:
            self._system.loaded.maps["tasks"].update(fd, bytes(carried))
        finally:
            os.close(fd)

    def subscribe(self, wake: Callable[[], None]) -> None:
        """``wake()`` is called whenever a question or a record has come in."""
        self.questions.wake = self.audit.wake = wake


def _process_of(tid: int) -> int:
    """The process that the task is a thread of; 0 for none."""
    try:
        with open(f"/proc/{tid}/status", "rb") as file:
            return next((int(line.split()[1]) for line in file if line.startswith(b"Tgid:")), 0)
    except OSError:
        return 0


def _facts(tid: int) -> Facts:
    facts = Facts()
    process = look_at(tid)
    if process is not None:
        facts.task = replace(Task(tid, process.parent, global_pid=tid), **dict(process.ids))  # type: ignore[arg-type]
    return facts
