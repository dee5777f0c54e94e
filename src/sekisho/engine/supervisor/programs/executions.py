"""execve(2): checked before, let through, and verified before the new program runs a single instruction.

The caller can swap path, arguments and file while the kernel looks at them again, so what was
checked means nothing yet. Where anything is enforced, the supervisor therefore attaches
(PTRACE_SEIZE) before it lets the call go and is told at the very moment the new image stands
(PTRACE_EVENT_EXEC): only if that image is the checked one does the process enter its domain;
else it is killed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from dataclasses import dataclass
from stat import S_ISLNK, S_ISREG
from typing import TYPE_CHECKING

from sekisho.decide.request import Execution
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import roots
from sekisho.engine.supervisor.calls.reaching import Reaching
from sekisho.engine.supervisor.plan import LATER, PROCEED, Answer, CallFacts
from sekisho.engine.supervisor.programs import admission, entering, image
from sekisho.engine.supervisor.programs.admission import Admission
from sekisho.engine.supervisor.programs.handlers import Handlers
from sekisho.engine.supervisor.programs.image import Image
from sekisho.engine.supervisor.programs.injection import SYSCALL_STOP, Injections
from sekisho.engine.supervisor.programs.program import Program, closes, foresee, name_passed
from sekisho.engine.supervisor.system import libc
from sekisho.engine.supervisor.system.notify import Notification
from sekisho.engine.supervisor.tasks import Process
from sekisho.policy.model import Domain, Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_O_TRACESYSGOOD, _O_TRACEEXEC, _O_EXITKILL = 1, 0x10, 0x100000
_EVENT_EXEC, _EVENT_STOP = 4, 128


def execute(call: Call) -> Answer:
    """execve(2)."""
    path, argv, envp, *_ = call.args
    return call.supervisor.executions.attempt(call, libc.AT_FDCWD, call.string(path), argv, envp, 0)


def execute_at(call: Call) -> Answer:
    """execveat(2)."""
    dirfd, path, argv, envp, flags, _ = call.args
    return call.supervisor.executions.attempt(call, dirfd, call.string(path), argv, envp, flags & 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class _Pending:
    """An exec let through: what must come of it."""

    tid: int
    destination: Domain
    image: tuple[int, int]
    argv: tuple[bytes, ...] | None
    envp: tuple[bytes, ...]
    before: Image | None
    """What ran before, to tell at the next call whether the exec came to pass; None when the kernel tells us."""
    handler: bool
    traced: bool = False
    """Another process of the tree traces it."""


class Executions:
    """Every exec of one supervisor whose outcome isn't known yet."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._pending: dict[int, _Pending] = {}
        self._seized: dict[int, int] = {}
        self.admission = Admission(supervisor)
        self.injections = Injections(supervisor)
        self.handlers = Handlers(self)
        self.reaching = Reaching(supervisor)

    def forget(self) -> None:
        """Policy may have changed."""
        self.admission.forget()

    def attempt(self, call: Call, dirfd: int, path: bytes, argv_at: int, envp_at: int, flags: int) -> Answer:
        """The answer to an exec; where nothing holds it back one that would fail anyway goes to the kernel."""
        if self.supervisor.holding.parks(call):
            return LATER
        if self.supervisor.underway.parks(call.notification, call.process):
            call.close()
            return LATER
        injected = self.injections.made(call.notification)
        if injected is not None:
            return injected.made(call)
        try:
            return self._attempt(call, dirfd, path, argv_at, envp_at, flags)
        except OSError as failure:
            # What only we couldn't do the kernel might: then the program would be in a domain that isn't its own.
            held = admission.is_ours(failure) or call.enforcing or self.handlers.hold(call.process)
            return -(failure.errno or errno.EPERM) if held else PROCEED

    def _attempt(self, call: Call, dirfd: int, path: bytes, argv_at: int, envp_at: int, flags: int) -> Answer:
        found, exename = admission.names(call, dirfd, path, flags)
        if not S_ISREG(found.status.st_mode) or not found.status.st_mode & 0o111:
            code = errno.ELOOP if S_ISLNK(found.status.st_mode) else errno.EACCES
            raise OSError(code, os.strerror(code))
        memory = call.process.open_memory(call.tid)
        argv, envp = memory.strings(argv_at), memory.strings(envp_at)
        shown = name_passed(dirfd, path)
        facts = CallFacts(call, path1=found.status, execution=Execution(found.name, argv, envp))
        handler = self.handlers.automatic(call, facts)
        if handler is not None:
            call.run("runnable", found.fd)
            return self.handlers.start(call, handler, shown, facts)
        program = foresee(call, found, shown, argv, unreachable=shown != path and closes(call, dirfd))
        plan = self.admission.plan(call, exename, facts)
        if plan is None:
            handler = self.handlers.denied(call, facts)
            return -errno.EPERM if handler is None else self.handlers.start(call, handler, shown, facts)
        destination = self.admission.enter(call, plan, facts)
        admitted = self.admission.environment(call, destination, facts)
        if not admitted or not self.admission.interpreters(call, destination, program):
            return -errno.EPERM
        if program.failure:
            raise program.failure
        verify = Mode.ENFORCING in (
            self.supervisor.modes.strictest(call.process.domain),
            self.supervisor.modes.strictest(destination),
        )
        return self.let_through(call, destination, program, envp, verify=verify)

    def let_through(
        self,
        call: Call,
        destination: Domain,
        program: Program,
        envp: tuple[bytes, ...],
        *,
        verify: bool,
        handler: bool = False,
    ) -> Answer:
        """The kernel executes ``program``, an execute handler or not; the process is in ``destination`` then."""
        process = call.process
        self.supervisor.tasks.settle(process)
        status = program.image.status
        tracer = self.reaching.tracer(call.tid)
        if tracer is not None:
            # Who may trace the new program may change it as well: there is nothing to verify, nor could we.
            if not self.reaching.may_trace(call, tracer, destination):
                return -errno.EPERM
            verify = False
        if not entering.may_enter(self.supervisor, process, [call.tid], destination.name, CallFacts(call)):
            return -errno.EPERM
        if verify and not self.seize(call):
            return -errno.EPERM
        before = None if verify else Image.of(call.tid)
        self._pending[process.tgid] = _Pending(
            call.tid, destination, (status.st_dev, status.st_ino), program.argv, envp, before, handler, bool(tracer)
        )
        process.executing = True
        return PROCEED

    def seize(self, call: Call) -> bool:
        """Whether the calling thread is traced from now on; where it can't be, that is told."""
        if self.watch(call.tid, call.process):
            return True
        self.supervisor.warn_once(call.process, "can't be watched (is it traced already?), so that its call is refused")
        return False

    def watch(self, tid: int, process: Process) -> bool:
        """Whether task ``tid`` of ``process`` is traced from now on."""
        if tid in self._seized:
            return True
        try:
            if not self.supervisor.holding.gives(tid):
                libc.ptrace(_SEIZE, tid, 0, _O_TRACESYSGOOD | _O_TRACEEXEC | _O_EXITKILL)
        except OSError:
            return False
        self._seized[tid] = process.tgid
        return True

    def called(self, process: Process, notification: Notification) -> None:
        """``process`` asks for something: whether what it did before came out as it had to."""
        if process.expected_roots is not None:
            roots.check(self.supervisor, process, notification.tid)
        pending = self._pending.get(process.tgid)
        if pending is None:
            process.executing = False
        elif pending.before is None:
            if notification.tid == pending.tid and not self._is_exec(notification.nr):
                self._give_up(process, pending)
        elif notification.tid in (pending.tid, process.tgid) and not self.look(process, notification.tid):
            self._give_up(process, pending)

    def look(self, process: Process, tid: int) -> bool:
        """Whether an exec of ``process`` that isn't watched has come to pass, seen by its task ``tid``."""
        pending = self._pending.get(process.tgid)
        if pending is None or pending.before is None:
            return False
        if pending.before == Image.of(tid) and self._lives(process):
            return False
        if pending.traced and image.file_of(tid) != pending.image:
            self.kill(process, "the executed file was swapped")
        self._commit(process, pending)
        return True

    def destination(self, tgid: int) -> Domain | None:
        """The domain that an exec of process ``tgid`` leads to which was let through; None when none was."""
        pending = self._pending.get(tgid)
        return None if pending is None else pending.destination

    def _lives(self, process: Process) -> bool:
        """Whether the address space that we read last still is anybody's: an exec ends it, unless it was shared."""
        return process.memory is None or process.memory.lives()

    def _is_exec(self, number: int) -> bool:
        numbers = self.supervisor.architecture.numbers
        return number in (numbers["execve"], numbers["execveat"])

    def _give_up(self, process: Process, pending: _Pending) -> None:
        """The exec failed; the process goes on as it was, no longer attached."""
        self.failed(process)
        if pending.tid in self._seized:
            libc.ptrace(_INTERRUPT, pending.tid)

    def failed(self, process: Process) -> None:
        """No exec of ``process`` is waited for any more."""
        self._pending.pop(process.tgid, None)
        process.executing = False

    def _commit(self, process: Process, pending: _Pending) -> None:
        del self._pending[process.tgid]
        process.executing = False
        if process.credits > 0 and pending.destination is not process.domain:
            process.former.add(process.domain.name)
        for tid in process.threads - {process.tgid}:
            self.supervisor.tasks.by_tid.pop(tid, None)
        self.supervisor.ownership.executed(process, pending.tid)
        process.forget_image(same_rights=not self.supervisor.privileged)
        former, process.domain, process.execute_handler = process.domain, pending.destination, pending.handler
        entering.entered(self.supervisor, process, former)

    def stopped(self, pid: int, status: int) -> bool:
        """Handles a ptrace stop of ``pid``; False when it isn't one of ours."""
        tgid = self._seized.get(pid)
        if tgid is None and status >> 16 == _EVENT_EXEC:
            tgid = pid
        if tgid is None:
            return False
        event, number, deliver = status >> 16, os.WSTOPSIG(status), 0
        with contextlib.suppress(ProcessLookupError):
            if event == _EVENT_EXEC:
                self.injections.executed(tgid, libc.event_message(pid))
                self._executed(tgid)
                self._seized = {tid: group for tid, group in self._seized.items() if group != tgid}
            elif self.injections.stopped(pid, status):
                return True
            elif event != _EVENT_STOP and number != SYSCALL_STOP:
                deliver = number
            self._seized.pop(pid, None)
            libc.ptrace(_DETACH, pid, 0, deliver)
        self.supervisor.underway.over(pid)
        return True

    def ended(self, pid: int) -> None:
        """A traced task is gone."""
        self.supervisor.underway.over(pid)
        self.injections.ended(pid)
        tgid = self._seized.pop(pid, -1)
        # Other threads end when one executes.
        if tgid in self._pending and self._pending[tgid].tid == pid:
            del self._pending[tgid]

    def _executed(self, tgid: int) -> None:
        process, pending = self.supervisor.tasks.by_tgid.get(tgid), self._pending.get(tgid)
        if process is None or pending is None:
            return
        wrong = self._mismatch(tgid, pending)
        if wrong:
            self.kill(process, wrong)
        self._commit(process, pending)

    def _mismatch(self, tgid: int, pending: _Pending) -> str | None:
        """What of the new image isn't what was checked; None when all of it is."""
        try:
            return image.difference(tgid, pending.image, pending.argv, pending.envp)
        except OSError as failure:
            return f"the new image can't be looked at ({failure.strerror})"

    def kill(self, process: Process, reason: str) -> None:
        """``process`` is killed; ``reason`` is told."""
        self.supervisor.warn(f"process {process.tgid} in {process.domain.name}: {reason}; killed")
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.tgid, signal.SIGKILL)
