"""Which programs may be executed, and which domain they get (spec a.3)."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from sekisho.domain.transition import ExecutionPlan, creation_lines, enter, plan_execution
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.plan import CallFacts, Object
from sekisho.engine.supervisor.programs.program import Program
from sekisho.errors import is_shortage
from sekisho.policy.model import Domain, Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor

_REMEMBERED: Final = 1000
_OURS: Final = (None, errno.EPERM, errno.EFAULT, errno.EAGAIN)
_AT_SYMLINK_NOFOLLOW, _AT_EMPTY_PATH = 0x100, 0x1000


def is_ours(failure: OSError) -> bool:
    """Whether an exec may have failed for us alone: a shortage, a worker that died, memory that couldn't be read."""
    return is_shortage(failure) or failure.errno in _OURS


def names(call: Call, dirfd: int, path: bytes, flags: int) -> tuple[Object, str]:
    """
    (the file to execute, its name as requested: the last component not followed).

    Through a descriptor or a link of procfs it has the file's own name: the number of a descriptor is no policy.
    """
    if not path and flags & _AT_EMPTY_PATH:
        found = call.describe(call.descriptor(dirfd))
        return found, found.name
    place = call.place(dirfd, path)
    found = call.object_at(place, follow=not flags & _AT_SYMLINK_NOFOLLOW)
    if place.last.rstrip(b"/") in (b".", b".."):
        return found, found.name
    name = call.place_name(place)
    return found, found.name if name.startswith("proc:/") else name


class Admission:
    """Admits programs to the domains of one supervisor's policy."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._environments: set[tuple[Domain, int, int, tuple[bytes, ...]]] = set()

    def forget(self) -> None:
        """Policy may have changed."""
        self._environments.clear()

    def plan(self, call: Call, exename: str, facts: CallFacts) -> ExecutionPlan | None:
        """What executing ``exename`` comes to; None when its domain isn't allowed to."""
        judge, domain = self._supervisor.judge, call.process.domain
        plan = plan_execution(judge.policy, domain, exename, facts)
        if not judge.allows_decided(domain, plan.request, plan.decision):
            return None
        if not plan.decision.granted and plan.decision.mode is Mode.LEARNING:
            plan = plan_execution(judge.policy, domain, exename, facts)
        return plan

    def enter(self, call: Call, plan: ExecutionPlan, facts: CallFacts) -> Domain:
        """The domain that the new program gets; raises OSError(ENOMEM) where it can't be had."""
        judge, domain = self._supervisor.judge, call.process.domain
        if plan.message:
            self._supervisor.warn(plan.message)
        if plan.failure is not None:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        if plan.transition_failed and not domain.transition_failed:
            judge.note(domain, "transition_failed", facts)
        destination = enter(judge.policy, plan, domain)
        if plan.creates:
            for line in creation_lines(destination):
                judge.note(destination, line, facts)
        return destination

    def interpreters(self, call: Call, destination: Domain, program: Program) -> bool:
        """Whether ``destination`` may read the interpreters that run the program."""
        reads = [
            call.request("file read", each.name, facts=CallFacts(call, path1=each.status))
            for each in program.interpreters
        ]
        return self._supervisor.judge.allows(destination, reads)

    def environment(self, call: Call, destination: Domain, facts: CallFacts) -> bool:
        """Whether ``destination`` takes these environment variables; an answer without a word is remembered."""
        assert facts.execution is not None
        names = tuple(word.partition(b"=")[0] for word in facts.execution.envp)
        judge = self._supervisor.judge
        key = (destination, destination.generation, destination.profile, names)
        if key in self._environments:
            return True
        requests = [call.request("misc env", self._supervisor.namer.encode(name), facts=facts) for name in names]
        if not judge.allows(destination, requests):
            return False
        if judge.repeatable:
            if len(self._environments) >= _REMEMBERED:
                self._environments.clear()
            self._environments.add(key)
        return True
