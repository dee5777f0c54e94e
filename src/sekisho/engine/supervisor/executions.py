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
from typing import TYPE_CHECKING, Final

from sekisho.decide.request import Execution
from sekisho.domain.transition import creation_lines, enter, plan_execution
from sekisho.engine.supervisor import image, libc
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.image import Image
from sekisho.engine.supervisor.notify import Notification
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts, Object
from sekisho.engine.supervisor.program import Program, foresee
from sekisho.engine.supervisor.tasks import Process
from sekisho.policy.model import Domain, Mode

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_O_TRACEEXEC: Final = 0x10
_O_EXITKILL: Final = 0x100000
_EVENT_EXEC, _EVENT_STOP = 4, 128
_REMEMBERED: Final = 1000
_AT_SYMLINK_NOFOLLOW, _AT_EMPTY_PATH = 0x100, 0x1000


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


class Executions:
    """Every exec of one supervisor whose outcome isn't known yet."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._pending: dict[int, _Pending] = {}
        self._seized: dict[int, int] = {}
        self._environments: set[tuple[Domain, int, int, tuple[bytes, ...]]] = set()

    def forget(self) -> None:
        """Policy may have changed."""
        self._environments.clear()

    def attempt(self, call: Call, dirfd: int, path: bytes, argv_at: int, envp_at: int, flags: int) -> Answer:
        """The answer to an exec; where nothing is enforced one that would fail anyway goes to the kernel."""
        try:
            return self._attempt(call, dirfd, path, argv_at, envp_at, flags)
        except OSError as failure:
            return -(failure.errno or errno.EPERM) if call.enforcing else PROCEED

    def _attempt(self, call: Call, dirfd: int, path: bytes, argv_at: int, envp_at: int, flags: int) -> Answer:
        found, exename = self._names(call, dirfd, path, flags)
        if S_ISLNK(found.status.st_mode):
            return -errno.ELOOP if call.enforcing else PROCEED
        if not S_ISREG(found.status.st_mode):
            return -errno.EACCES if call.enforcing else PROCEED
        memory = call.process.open_memory(call.tid)
        argv, envp = memory.strings(argv_at), memory.strings(envp_at)
        shown = path if not flags & _AT_EMPTY_PATH or path else b"/dev/fd/%d" % (dirfd & 0xFFFFFFFF)
        program = foresee(call, found, shown, argv)
        facts = CallFacts(call, path1=found.status, execution=Execution(found.name, argv, envp))
        destination = self._judge(call, exename, facts, program)
        if destination is None:
            return -errno.EPERM
        verify = Mode.ENFORCING in (
            self.supervisor.modes.strictest(call.process.domain),
            self.supervisor.modes.strictest(destination),
        )
        return self._let_through(call, destination, program, envp, verify)

    def _names(self, call: Call, dirfd: int, path: bytes, flags: int) -> tuple[Object, str]:
        """(the file, its name as requested: the last component not followed, spec a.3 step 1)."""
        if not path and flags & _AT_EMPTY_PATH:
            found = call.describe(call.descriptor(dirfd))
            return found, f"proc:/self/fd/{dirfd & 0xFFFFFFFF}"
        place = call.place(dirfd, path)
        found = call.object_at(place, follow=not flags & _AT_SYMLINK_NOFOLLOW)
        if place.last.rstrip(b"/") in (b".", b".."):
            return found, found.name
        return found, call.place_name(place)

    def _judge(self, call: Call, exename: str, facts: CallFacts, program: Program) -> Domain | None:
        """The domain that the new program gets; None when policy refuses it."""
        judge, domain = self.supervisor.judge, call.process.domain
        plan = plan_execution(judge.policy, domain, exename, facts)
        if not judge.allows_decided(domain, plan.request, plan.decision):
            return None
        if not plan.decision.granted and plan.decision.mode is Mode.LEARNING:
            plan = plan_execution(judge.policy, domain, exename, facts)
        if plan.message:
            self.supervisor.warn(plan.message)
        if plan.failure is not None:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        if plan.transition_failed and not domain.transition_failed:
            judge.note(domain, "transition_failed", facts)
        destination = enter(judge.policy, plan, domain)
        if plan.creates:
            for line in creation_lines(destination):
                judge.note(destination, line, facts)
        reads = [
            call.request("file read", each.name, facts=CallFacts(call, path1=each.status))
            for each in program.interpreters
        ]
        return destination if self._environment(call, destination, facts) and judge.allows(destination, reads) else None

    def _environment(self, call: Call, destination: Domain, facts: CallFacts) -> bool:
        """Whether ``destination`` takes these environment variables; an answer without a word is remembered."""
        assert facts.execution is not None
        names = tuple(word.partition(b"=")[0] for word in facts.execution.envp)
        judge = self.supervisor.judge
        key = (destination, destination.generation, destination.profile, names)
        if key in self._environments:
            return True
        requests = [call.request("misc env", self.supervisor.namer.encode(name), facts=facts) for name in names]
        if not judge.allows(destination, requests):
            return False
        if judge.repeatable:
            if len(self._environments) >= _REMEMBERED:
                self._environments.clear()
            self._environments.add(key)
        return True

    def _let_through(
        self, call: Call, destination: Domain, program: Program, envp: tuple[bytes, ...], verify: bool
    ) -> Answer:
        process = call.process
        self.supervisor.tasks.settle(process)
        status = program.image.status
        if verify and not self._seize(call.tid, process.tgid):
            self.supervisor.warn_once(process, "can't be watched (is it traced already?), so that its exec is refused")
            return -errno.EPERM
        before = None if verify else Image.of(call.tid)
        self._pending[process.tgid] = _Pending(
            call.tid, destination, (status.st_dev, status.st_ino), program.argv, envp, before
        )
        process.executing = True
        return PROCEED

    def _seize(self, tid: int, tgid: int) -> bool:
        if tid in self._seized:
            return True
        try:
            libc.ptrace(_SEIZE, tid, 0, _O_TRACEEXEC | _O_EXITKILL)
        except OSError:
            return False
        self._seized[tid] = tgid
        return True

    def called(self, process: Process, notification: Notification) -> None:
        """``process`` asks for something: whether what it did before came out as it had to."""
        if process.expected_roots is not None:
            self._check_root(process, notification.tid)
        pending = self._pending.get(process.tgid)
        if pending is None:
            process.executing = False
        elif pending.before is None:
            if notification.tid == pending.tid and not self._is_exec(notification.nr):
                self._give_up(process, pending)
        elif notification.tid in (pending.tid, process.tgid):
            if pending.before != Image.of(notification.tid) or not self._lives(process):
                self._commit(process, pending)
            else:
                self._give_up(process, pending)

    def _lives(self, process: Process) -> bool:
        """Whether the address space that we read last still is anybody's: an exec ends it, unless it was shared."""
        return process.memory is None or process.memory.lives()

    def _is_exec(self, number: int) -> bool:
        numbers = self.supervisor.architecture.numbers
        return number in (numbers["execve"], numbers["execveat"])

    def _give_up(self, process: Process, pending: _Pending) -> None:
        """The exec failed; the process goes on as it was, no longer attached."""
        del self._pending[process.tgid]
        process.executing = False
        if pending.tid in self._seized:
            libc.ptrace(_INTERRUPT, pending.tid)

    def _commit(self, process: Process, pending: _Pending) -> None:
        del self._pending[process.tgid]
        process.executing = False
        if process.credits > 0 and pending.destination is not process.domain:
            process.former.add(process.domain.name)
        for tid in process.threads - {process.tgid}:
            self.supervisor.tasks.by_tid.pop(tid, None)
        process.forget_image(same_rights=not self.supervisor.privileged)
        process.domain = pending.destination

    def stopped(self, pid: int, status: int) -> bool:
        """Handles a ptrace stop of ``pid``; False when it isn't one of ours."""
        tgid = self._seized.get(pid)
        if tgid is None and status >> 16 == _EVENT_EXEC:
            tgid = pid
        if tgid is None:
            return False
        event = status >> 16
        deliver = 0
        if event == _EVENT_EXEC:
            self._executed(tgid)
        elif event != _EVENT_STOP:
            deliver = os.WSTOPSIG(status)
        self._forget(pid, tgid)
        try:
            libc.ptrace(_DETACH, pid, 0, deliver)
        except ProcessLookupError:
            return True
        return True

    def _forget(self, pid: int, tgid: int) -> None:
        for tid in [tid for tid, group in self._seized.items() if tid == pid or group == tgid]:
            del self._seized[tid]

    def ended(self, pid: int) -> None:
        """A traced task is gone."""
        tgid = self._seized.pop(pid, None)
        if tgid is not None:
            self._pending.pop(tgid, None)

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

    def expect_root(self, process: Process, tid: int, allowed: set[tuple[int, int]]) -> Answer:
        """From its next call on, ``process`` must have one of the ``allowed`` root directories."""
        process.expected_roots = (tid, allowed)
        return PROCEED

    def _check_root(self, process: Process, tid: int) -> None:
        assert process.expected_roots is not None
        changing, allowed = process.expected_roots
        if tid == changing:
            process.expected_roots = None
        root = os.stat(f"/proc/{tid}/root")
        self.supervisor.tasks.forget_identities()
        if (root.st_dev, root.st_ino) not in allowed:
            self.kill(process, "the directory of a chroot was swapped")
