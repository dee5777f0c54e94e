"""Calls that were looked at, let go on, and may not be over yet: signals, reaching into others, joining a group.

The kernel runs them itself, and takes whom they reach for who it is by then. So whoever is reached by such a call
enters another domain only when it is over: when its caller has asked for something else, waits in another call, has
stopped or died. Nothing is done about it before somebody has to wait: only then is the caller made to stop on its
way out (PTRACE_INTERRUPT), without noticing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.plan import PROCEED, Answer
from sekisho.engine.supervisor.system import libc, procfs
from sekisho.engine.supervisor.tasks import Process

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.system.notify import Notification

_INTERRUPT: Final = 0x4207
_FORKS: Final = 200
"""So many can't bring the number of a dead process back (RESERVED_PIDS, kernel/pid.c, is 300)."""
_POLL: Final = 0.02
"""Seconds between two looks at callers for whom somebody waits."""
_PATIENCE: Final = 30.0
"""Seconds that somebody waits for a call to be over before its caller is killed."""
_MOMENT: Final = 0.1
_STOPPED: Final = b"tTZX"
"""States (proc_pid_stat(5)) in which a task is in no system call of its own, or never again."""


@dataclass(slots=True, eq=False)
class _Call:
    """One call that was let go on."""

    process: Process
    number: int
    reached: frozenset[Process] | None
    """None: anybody."""
    by_number: bool
    """The kernel finds whom it reaches by a number that may be somebody else's by then."""
    group: int
    """The process group that those reached are about to join, 0 for none."""
    forks: int = _FORKS
    until: float = 0.0
    """When its caller is killed if somebody still waits; 0 as long as nobody has."""
    stopping: bool = False
    """Its caller has been told to stop."""

    def reaches(self, process: Process) -> bool:
        """Whether ``process`` has to stay what it is until this is over. Its own threads' calls end with it."""
        if self.process is process and not self.group:
            return False
        return self.reached is None or process in self.reached


class Underway:
    """The calls of one supervisor's tree that may be under way, by the task that makes them."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.calls: dict[int, _Call] = {}
        self._parked: list[tuple[Notification, Process]] = []
        self._next = 0.0

    def let_go(
        self, call: Call, reached: Iterable[Process] | None, *, by_number: bool = False, group: int = 0
    ) -> Answer:
        """The kernel runs the call; none of those ``reached`` (None: nobody) changes its domain until it is over."""
        everybody = None if reached is None else frozenset(reached)
        self.calls[call.tid] = _Call(call.process, call.notification.nr, everybody, by_number, group)
        return PROCEED

    def over(self, tid: int) -> None:
        """Task ``tid`` asks for something else, has stopped, or died: no earlier call of it is under way."""
        if self.calls.pop(tid, None) is not None and self._parked:
            self._next = 0.0

    def parks(self, notification: Notification, process: Process) -> bool:
        """Whether ``process`` is reached by a call under way: ``notification`` is looked at anew when that is over."""
        if not self.calls or not self._reached(process):
            return False
        self._parked.append((notification, process))
        self._next = time.monotonic() + _POLL
        if self not in self._supervisor.timed:
            self._supervisor.timed.append(self)
        return True

    def settles(self, process: Process) -> bool:
        """Whether no call under way reaches ``process`` any more, a moment from now at the latest."""
        until = time.monotonic() + _MOMENT
        while self._reached(process):
            if time.monotonic() > until:
                return False
            time.sleep(0.001)
        return True

    def joining(self, group: int) -> list[Process]:
        """Who may be about to join the process group ``group``, or any group for 0."""
        found: list[Process] = []
        for tid, made in list(self.calls.items()):
            if made.group and group in (0, made.group) and not self._is_over(tid, made):
                found += made.reached or ()
        return found

    def forked(self) -> None:
        """The tree has one more task: a call on a process long dead might find another under its number."""
        by_tgid = self._supervisor.tasks.by_tgid
        for tid, made in list(self.calls.items()):
            gone = made.by_number or any(by_tgid.get(each.tgid) is not each for each in made.reached or ())
            if gone and not self._is_over(tid, made):
                made.forks -= 1
                if not made.forks:
                    self._kill(tid, made)

    def _reached(self, process: Process) -> bool:
        over = [self._is_over(tid, made) for tid, made in list(self.calls.items()) if made.reaches(process)]
        return not all(over)

    def _is_over(self, tid: int, made: _Call) -> bool:
        """Whether a call is over for sure; its caller is made to stop after it where that can't be seen."""
        if (
            _left(made.process.tgid, tid, made.number)
            or self._supervisor.tasks.by_tgid.get(made.process.tgid) is not made.process
        ):
            self.over(tid)
            return True
        now = time.monotonic()
        made.until = made.until or now + _PATIENCE
        if now > made.until:
            self._kill(tid, made)
            made.until = now + _PATIENCE
        if not made.stopping and self._supervisor.executions.watch(tid, made.process):
            made.stopping = True
            with contextlib.suppress(ProcessLookupError):
                libc.ptrace(_INTERRUPT, tid)
        return False

    def _kill(self, tid: int, made: _Call) -> None:
        who = f"process {made.process.tgid} in {made.process.domain.name}"
        self._supervisor.warn(f"{who}: a call on others isn't over although one of them waits; killed")
        with contextlib.suppress(ProcessLookupError):
            os.kill(tid, signal.SIGKILL)

    def patience(self) -> float:
        """How long the loop may sleep, in seconds (-1: as long as it likes)."""
        return max(0.0, self._next - time.monotonic()) if self._parked else -1

    def look(self) -> None:
        """Whoever waits is looked at anew."""
        if not self._parked or time.monotonic() < self._next:
            return
        parked, self._parked = self._parked, []
        for notification, process in parked:
            if self._supervisor.listener.valid(notification.id) and not self.parks(notification, process):
                self._supervisor.take(notification)


def _left(tgid: int, tid: int, number: int) -> bool:
    """Whether task ``tid``, which was let go into system call ``number``, is surely out of it."""
    task = f"/proc/{tgid}/task/{tid}"
    try:
        if procfs.read(f"{task}/stat", 512).rpartition(b") ")[2][:1] in _STOPPED:
            return True
        now = procfs.read(f"{task}/syscall", 512).split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return not os.path.exists(task)
    except OSError:
        return False
    return now != b"running" and int(now) != number
