"""The supervisor's loop: one stopped call in, one answer out, nobody held up by another's wait."""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable
from typing import Final

from sekisho.engine.judge import Judge
from sekisho.engine.supervisor import strangers
from sekisho.engine.supervisor.acting import actions, closing, identity
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.acting.identity import Identity
from sekisho.engine.supervisor.acting.workers import Workers
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import guards
from sekisho.engine.supervisor.calls.arrivals import Arrivals
from sekisho.engine.supervisor.calls.holding import Holding
from sekisho.engine.supervisor.calls.ownership import Ownership
from sekisho.engine.supervisor.calls.row import Row
from sekisho.engine.supervisor.calls.shortcuts import Key, Shortcuts
from sekisho.engine.supervisor.calls.underway import Underway
from sekisho.engine.supervisor.calls.waiting import Waiting
from sekisho.engine.supervisor.earshot import Earshot
from sekisho.engine.supervisor.guard import Guard
from sekisho.engine.supervisor.modes import Modes
from sekisho.engine.supervisor.objects.naming import Namer
from sekisho.engine.supervisor.penalties import Penalties
from sekisho.engine.supervisor.performing import Performer
from sekisho.engine.supervisor.plan import LATER, PROCEED, Answer, Later, Plan, Proceed
from sekisho.engine.supervisor.programs.executions import Executions
from sekisho.engine.supervisor.programs.moves import Moves
from sekisho.engine.supervisor.questions import Held, Questions
from sekisho.engine.supervisor.system import abi
from sekisho.engine.supervisor.system.loop import Loop
from sekisho.engine.supervisor.system.notify import Listener, Notification
from sekisho.engine.supervisor.tasks import Lost, Process, Tasks
from sekisho.errors import explain, is_shortage
from sekisho.policy.model import Mode

_PERM: Final = -errno.EPERM


class Supervisor(Loop):
    """Serves one listener until no process of the tree is left."""

    def __init__(
        self,
        listener: Listener,
        judge: Judge[Questions],
        architecture: abi.Architecture,
        rows: dict[int, Row],
        warn: Callable[[str], None],
        *,
        privileged: bool,
    ) -> None:
        super().__init__(last=listener.fd)
        self.listener = listener
        self.judge = judge
        self.architecture = architecture
        self.warn = warn
        self.rows, self.privileged = rows, privileged
        """``privileged``: programs of the tree may gain rights by exec (setuid)."""
        actions.enter_process()
        closing.prepare()
        self.namer = Namer(actions.filesystems())
        self.own = identity.of(os.getpid())
        self.tasks = Tasks(self._track)
        self.workers = Workers(self.own)
        self.performer = Performer(self)
        self.executions, self.underway = Executions(self), Underway(self)
        self.shortcuts = Shortcuts(self)
        self.guard, self.modes = Guard(), Modes(judge.policy)
        self.waiting, self.arrivals, self.holding = Waiting(self), Arrivals(self), Holding(self)
        self.earshot, self.ownership = Earshot(self), Ownership(self)
        self.questions = judge.questions
        self.questions.attach(self)
        self.penalties, self.moves = Penalties(listener), Moves(self)
        self.signals_scoped = False
        """Landlock keeps the tree from signalling anything outside it."""
        self.timed += [self.waiting, self.arrivals, self.holding, self.questions, self.penalties]
        self._mounts = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        self._listen()

    def _listen(self) -> None:
        self.watch(self._mounts, self._mounts_changed, select.EPOLLPRI | select.EPOLLERR)
        self.watch(self.listener.fd, self._notified, select.EPOLLIN)

    def serve(self) -> None:
        """Returns when the last process of the tree is gone."""
        super().serve()
        self.performer.fences.close()
        self.workers.close()

    def _track(self, process: Process) -> None:
        """``process`` is forgotten as soon as it is dead, before its ids can be anybody else's."""

        def died(_: int) -> None:
            self.unwatch(process.pidfd)
            self.executions.failed(process)
            self.ownership.gone(process)
            self.tasks.gone(process)

        self.ownership.born(process)
        self.watch(process.pidfd, died)

    def _notified(self, events: int) -> None:
        if not events & select.EPOLLIN:
            self.ended = True
            return
        notification = self.listener.receive()
        if notification is not None:
            self.take(notification)

    def take(self, notification: Notification) -> None:
        """One stopped call is answered, or somebody has taken on answering it, whatever happens on the way."""
        self.questions.current = notification
        try:
            self.handle(notification)
        except Exception as bug:
            self.warn(f"a call is refused: {explain(bug)}")
            self.listener.finish(notification.id, _PERM)
        finally:
            self.questions.current = None

    def policy_changed(self) -> None:
        """Nothing that was concluded from policy as it was is relied on any more."""
        self.shortcuts.forget()
        self.modes.forget()
        self.executions.forget()
        self.performer.fences.forget()
        self.earshot.policy_changed()

    def _mounts_changed(self, _: int) -> None:
        actions.filesystems().forget()
        self.shortcuts.forget()
        self.shortcuts.mounted_over = True

    def handle(self, notification: Notification) -> None:
        """One stopped call is answered, or somebody has taken on answering it."""
        try:
            process = self.tasks.find(notification.tid)
        except Lost as reason:
            strangers.lost(self, notification, reason)
            return
        except (FileNotFoundError, ProcessLookupError):
            return
        self.shortcuts.settled(notification.tid)
        if self.underway.calls:
            self.underway.over(notification.tid)
        if process.executing or process.expected_roots is not None:
            self.executions.called(process, notification)
        row = self.rows.get(notification.nr)
        if row is None or notification.arch != self.architecture.audit:
            strangers.foreign(self, notification, process)
        elif not self.moves.automatic(notification, process):
            self._look_at(notification, process, row)

    def _look_at(self, notification: Notification, process: Process, row: Row) -> None:
        """A call that stands in the table has been answered, or somebody has taken on answering it."""
        if row.guard is not None and self._withheld(row.guard, notification, process):
            return
        mode = self.modes.of(process.domain, notification.nr, row.operations)
        if mode is Mode.DISABLED and not row.always:
            self.listener.proceed(notification.id)
            return
        key: Key = ()
        if row.shortcut is not None:
            found = self.shortcuts.take(row.shortcut, notification, process, mode)
            if found is None:
                return
            key = found
        call = Call(self, notification, process, mode is Mode.ENFORCING)
        answer = self._answer(call, row, key)
        if row.mutates and not isinstance(answer, int):
            self.shortcuts.changes(notification.tid)
        elif row.mutates:
            self.shortcuts.forget()
        if not isinstance(answer, Later):
            self.reply(call, answer)

    def _withheld(self, guard: guards.Guard, notification: Notification, process: Process) -> bool:
        """Whether ``guard`` has refused the call; it is asked wherever anything is enforced."""
        if self.modes.strictest(process.domain) is not Mode.ENFORCING:
            return False
        call = Call(self, notification, process, enforcing=True)
        refusal = guards.ask(guard, call)
        if refusal:
            self.reply(call, refusal)
        call.close()
        return bool(refusal)

    def _answer(self, call: Call, row: Row, key: Key) -> Answer:
        self.judge.penalty = 0
        try:
            plan = row.plan(call)
            if isinstance(plan, Plan):
                return self._carry_out(call, plan, key)
            if plan == _PERM and self.judge.penalty:
                return self._refused(call)
            return plan if call.enforcing or row.always else PROCEED
        except Held:
            call.close()
            return LATER
        except FileNotFoundError:
            if call.enforcing:
                return -errno.ENOENT
            self.shortcuts.remember(key, call)
            return PROCEED
        except OSError as failure:
            if call.enforcing or (row.always and is_shortage(failure)):
                return -(failure.errno or errno.EPERM)
            if is_shortage(failure):
                strangers.unseen(self, call.process, row.name, failure)
            return PROCEED
        except Exception as bug:
            if call.enforcing or row.always:
                self.warn(f"{row.name} of process {call.process.tgid} is refused: {explain(bug)}")
                return _PERM
            strangers.unseen(self, call.process, row.name, bug)
            return PROCEED

    def _carry_out(self, call: Call, plan: Plan, key: Key) -> Answer:
        """What policy says of the plan, done."""
        process, domain, judge = call.process, call.process.domain, self.judge
        reached = self.guard.reached(plan.requests) if call.guarded else None
        if reached is not None:
            judge.refuse(process.domain, reached)
            self.warn_once(process, f"in {process.domain.name} reached for the supervisor or its policy: refused")
            return _PERM
        if not judge.allows(process.domain, plan.requests):
            if plan.refused is not None:
                return plan.refused()
            refused = self._refused(call)
            return plan.refusal if isinstance(refused, int) else refused
        call.allowed(domain, plan.requests)
        if judge.transition is not None and not self.moves.by_entry(call, judge.transition):
            return LATER
        if plan.changes:
            self.shortcuts.changes(call.tid)
        repeatable = bool(key) and judge.repeatable and not plan.changes
        if not call.enforcing and not plan.always:
            answer: Answer = PROCEED
        else:
            try:
                answer = plan.perform()
            except OSError as failure:
                return -(failure.errno or errno.EPERM)
        # What the kernel refuses, or hasn't done yet, isn't what was granted.
        if repeatable and not isinstance(answer, Later):
            self.shortcuts.remember(key, call)
        return answer

    def _refused(self, call: Call) -> Answer:
        """A refusal, held back where the profile has a penalty."""
        if not self.judge.penalty:
            return _PERM
        self.penalties.refuse(call.notification.id, self.judge.penalty)
        call.close()
        return LATER

    def reply(self, call: Call, answer: Answer) -> None:
        """``answer`` is given and everything opened for the call is closed."""
        ident = call.notification.id
        try:
            if isinstance(answer, Fd):
                call.keep(answer)
                self.listener.hand_over(ident, answer, os.O_CLOEXEC if call.close_on_exec else 0)
            elif isinstance(answer, Proceed):
                # A mount point that we still held would be busy for the caller's own umount(2).
                call.close()
                self.listener.proceed(ident)
            elif isinstance(answer, int):
                self.listener.finish(ident, answer)
        except OSError as failure:
            self.warn(f"a call of process {call.process.tgid} could not be answered ({failure.strerror}): refused")
            self.listener.finish(ident, _PERM)
        finally:
            call.close()

    def warn_once(self, process: Process, text: str) -> None:
        """``text`` is told of ``process`` unless it was before."""
        if text not in process.warned:
            process.warned.add(text)
            self.warn(f"process {process.tgid} {text}")

    def identity_of(self, process: Process, tid: int) -> Identity:
        """The rights and view of task ``tid``, read once until a call that may change them."""
        known = process.identities.get(tid)
        if known is None:
            known = identity.of(tid)
            if known == self.own:
                known = self.own
            process.identities[tid] = known
        return known
