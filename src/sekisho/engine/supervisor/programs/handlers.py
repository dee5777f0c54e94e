"""Execute handlers: which program runs instead of the one that was asked for (``task …_execute_handler``)."""

from __future__ import annotations

import errno
import os
from stat import S_ISREG
from typing import TYPE_CHECKING

from sekisho.domain.handlers import auto_handler, denied_handler, handler_arguments, has_handler, plan_handler
from sekisho.engine.supervisor.plan import Answer, CallFacts
from sekisho.engine.supervisor.programs import admission
from sekisho.engine.supervisor.programs.injection import Injection
from sekisho.engine.supervisor.programs.program import foresee
from sekisho.engine.supervisor.system import libc
from sekisho.engine.supervisor.tasks import Process
from sekisho.names.word import decode, encode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call
    from sekisho.engine.supervisor.programs.executions import Executions


class Handlers:
    """Starts the execute handlers of one supervisor's tree, in every mode; it is they or nothing."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self._supervisor = executions.supervisor

    def hold(self, process: Process) -> bool:
        """Whether what ``process`` executes may have to be replaced, so that no exec goes to the kernel unseen."""
        policy = self._supervisor.judge.policy
        return not process.execute_handler and has_handler(policy, process.domain)

    def automatic(self, call: Call, facts: CallFacts) -> str | None:
        """The handler that runs whatever the caller executes."""
        if not self.hold(call.process):
            return None  # without asking for the caller's ids, which cost as much as all the rest
        return auto_handler(self._supervisor.judge.policy, call.process.domain, facts)

    def denied(self, call: Call, facts: CallFacts) -> str | None:
        """The handler that runs when the caller may not execute what it wants to."""
        return denied_handler(self._supervisor.judge.policy, call.process.domain, facts)

    def start(self, call: Call, handler: str, filename: bytes, facts: CallFacts) -> Answer:
        """``handler`` runs instead of ``filename``; where that can't be the caller gets the errno, and it is told."""
        try:
            return self._start(call, handler, filename, facts)
        except OSError as failure:
            self._tell(call.process, handler, failure.strerror or str(failure))
            return -(failure.errno or errno.EPERM)

    def _start(self, call: Call, handler: str, filename: bytes, facts: CallFacts) -> Answer:
        process, execution = call.process, facts.execution
        assert execution is not None
        path = _seen(call, decode(handler))
        found, exename = admission.names(call, libc.AT_FDCWD, path, 0)
        if exename != handler or not S_ISREG(found.status.st_mode):
            raise OSError(errno.EACCES, f"is {exename}" if exename != handler else "is no program")
        call.run("runnable", found.fd)
        domain, executable = process.domain.name, _executable(call.tid)
        told = handler_arguments(handler, domain, executable, call.task(), filename, execution)
        argv = (path, *told[1:])
        program = foresee(call, found, path, argv)
        if program.failure:
            raise program.failure
        plan = plan_handler(self._supervisor.judge.policy, process.domain, handler, facts)
        self._supervisor.judge.allows_decided(process.domain, plan.request, plan.decision)
        steps, executions = self._executions.admission, self._executions
        destination = steps.enter(call, plan, facts)
        if not steps.interpreters(call, destination, program) or not executions.seize(call):
            return -errno.EPERM

        def made(own: Call) -> Answer:
            return executions.let_through(own, destination, program, (), verify=True, handler=True)

        def failed(code: int) -> None:
            executions.failed(process)
            self._tell(process, handler, os.strerror(code))

        return executions.injections.begin(Injection(process, call.tid, path, argv, made, failed))

    def _tell(self, process: Process, handler: str, reason: str) -> None:
        self._supervisor.warn_once(process, f"in {process.domain.name}: execute handler {handler}: {reason}")


def _seen(call: Call, path: bytes) -> bytes:
    """``path`` as it is written below the caller's root directory."""
    root = os.readlink(os.fsencode(f"/proc/{call.tid}/root")).rstrip(b"/")
    if not path.startswith(root + b"/"):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return path[len(root) :]


def _executable(tid: int) -> str:
    """The encoded real path of what ``tid`` runs."""
    try:
        return encode(os.readlink(os.fsencode(f"/proc/{tid}/exe")).removesuffix(b" (deleted)"))
    except OSError:
        return "<unknown>"
