"""Domain transitions without execve: by a process's own word, by condition, by an entry that granted."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING

from sekisho.decide.request import Facts
from sekisho.domain.automatic import automatic_transition, entry_transition, has_automatic
from sekisho.domain.transition import ManualTransition, creation_lines, enter, plan_manual_transition
from sekisho.engine.supervisor.acting import identity
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.plan import CallFacts
from sekisho.engine.supervisor.programs import entering
from sekisho.engine.supervisor.tasks import Process, lineage

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.system.notify import Notification


class _TaskFacts(Facts):
    """What is known of a process that isn't stopped in a call."""

    def __init__(self, process: Process, tid: int) -> None:
        self.task = identity.of(tid).task(process.tgid, lineage(tid)[1], process.tgid)


class Moves:
    """Moves the processes of one supervisor. A domain is the whole process's, whichever thread asked."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def automatic(self, notification: Notification, process: Process) -> bool:
        """``task auto_domain_transition`` has been looked at; True when its process was killed, or waits."""
        policy = self._supervisor.judge.policy
        if not has_automatic(policy, process.domain):
            return False
        call = Call(self._supervisor, notification, process, enforcing=False)
        try:
            plan = automatic_transition(policy, process.domain, CallFacts(call))
            return plan is not None and not self._go(call, plan)
        finally:
            call.close()

    def by_entry(self, call: Call, text: str) -> bool:
        """The caller is where the entry that granted its call sends it; False when it was killed instead, or waits."""
        return self._go(call, entry_transition(self._supervisor.judge.policy, call.process.domain, text))

    def _go(self, call: Call, plan: ManualTransition) -> bool:
        process, facts = call.process, CallFacts(call)
        if self._supervisor.underway.parks(call.notification, process):
            call.close()
            return False
        if plan.failure is None and self._may_enter(process, plan, facts):
            self._enter(process, plan, facts)
            return True
        self._supervisor.warn(f"process {process.tgid} must move to {plan.destination}, which can't be had; killed")
        os.kill(process.tgid, signal.SIGKILL)
        return False

    def manual(self, tid: int, name: str) -> None:
        """The process of task ``tid`` is in the domain ``name``; OSError with the errno of spec a.4."""
        process = self._supervisor.tasks.find(tid)
        facts = _TaskFacts(process, tid)
        plan = plan_manual_transition(self._supervisor.judge.policy, process.domain, name, facts)
        if plan.failure is not None:
            code = getattr(errno, plan.failure)
            raise OSError(code, os.strerror(code))
        if not self._supervisor.underway.settles(process):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if not self._may_enter(process, plan, facts):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        self._enter(process, plan, facts)

    def _may_enter(self, process: Process, plan: ManualTransition, facts: Facts) -> bool:
        tids = {process.tgid, *process.threads}
        may = entering.may_enter(self._supervisor, process, tids, plan.destination, facts)
        # What was asked was asked in other domains' names.
        self._supervisor.judge.repeatable = False
        return may

    def _enter(self, process: Process, plan: ManualTransition, facts: Facts) -> None:
        judge = self._supervisor.judge
        destination = enter(judge.policy, plan, process.domain)
        if plan.creates:
            for line in creation_lines(destination):
                judge.note(destination, line, facts)
        if destination is process.domain:
            return
        self._supervisor.tasks.settle(process)
        if process.credits > 0:
            process.former.add(process.domain.name)
        former, process.domain = process.domain, destination
        entering.entered(self._supervisor, process, former)
