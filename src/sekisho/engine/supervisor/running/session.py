"""One run seen from outside the loop: the command's life, audit records, saving what was learned."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Final

from sekisho.engine.judge import Judge
from sekisho.engine.keeping import Keeper
from sekisho.engine.records import RecordQueue
from sekisho.engine.supervisor.questions import Questions
from sekisho.engine.supervisor.running.authority import LiveAuthority
from sekisho.engine.supervisor.running.front import Back
from sekisho.engine.supervisor.supervisor import Supervisor
from sekisho.engine.supervisor.system import libc
from sekisho.interface import sockets
from sekisho.interface.server import ControlServer
from sekisho.policy.model import Domain, Policy
from sekisho.policy.stat import Statistics
from sekisho.store.directory import PolicyDirectory

_WALL: Final = 0x40000000


class Session:
    """Ties a supervisor to its policy directory and to the front."""

    def __init__(self, directory: PolicyDirectory, policy: Policy, first: Domain, *, learn: bool) -> None:
        self.directory = directory
        self.policy = policy
        self.first = first
        self.learn = learn
        self._back: Back | None = None
        self._said: set[str] = set()
        self.questions = Questions()
        self.records = RecordQueue()
        self._server: ControlServer | None = None

    def judge(self, back: Back) -> Judge[Questions]:
        """A judge over this run's policy; what it wants recorded goes to the audit log."""
        self._back = back
        self.keeper = Keeper(self.directory, self.policy, self.records, self._say)
        self.questions.quota = lambda: self.statistics.query_memory.quota
        return self.keeper.judge(self.questions)

    @property
    def statistics(self) -> Statistics:
        """The counters, this run's included."""
        return self.keeper.statistics

    @statistics.setter
    def statistics(self, value: Statistics) -> None:
        self.keeper.statistics = value

    def updated(self, *, by_hand: bool = False) -> None:
        """Policy has changed: that is counted and saved."""
        self.keeper.updated(by_hand=by_hand)

    def _say(self, text: str) -> None:
        if self._back is not None and text not in self._said:
            self._said.add(text)
            self._back.say(text)

    def attend(self, supervisor: Supervisor, child: int, back: Back) -> None:
        """Children's ends and stops are handled in the supervisor's loop; ``child`` is the command."""
        self._supervisor, self._child = supervisor, child
        # A signal that comes while a descriptor is being handed over would answer the call with 0 instead
        # of it (seccomp_notify_addfd is interruptible), so every signal stays blocked and SIGCHLD is read.
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._signals = libc.signalfd(signal.SIGCHLD)
        supervisor.watch(self._signals, lambda _: self._children())
        self._serve(supervisor)
        supervisor.timed.append(self.keeper)

    def _serve(self, supervisor: Supervisor) -> None:
        """The tree can be looked at, asked about and changed through its control socket."""
        path = sockets.path_for(self.directory.path, os.getpid())
        try:
            self._server = ControlServer(
                LiveAuthority(self, supervisor), path, supervisor.watch, supervisor.unwatch, self._say
            )
            status = os.stat(path)
        except OSError as error:
            self._say(f"{path}: {error.strerror}: nobody can be asked, and nothing changed while this runs")
            return
        supervisor.guard.sockets.add((status.st_dev, status.st_ino))

    def _children(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._signals, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED | _WALL)
            except ChildProcessError:
                return
            if not pid:
                return
            self._child_changed(pid, status)

    def _child_changed(self, pid: int, status: int) -> None:
        executions, holding = self._supervisor.executions, self._supervisor.holding
        if os.WIFSTOPPED(status):
            if executions.stopped(pid, status) or holding.stopped(pid, status):
                return
            if pid == self._child and self._back:
                self._back.tell("stopped")
            return
        if os.WIFCONTINUED(status):
            return
        executions.ended(pid)
        holding.ended(pid)
        self._supervisor.workers.collected(pid)
        if pid == self._child:
            self._finished(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))

    def _finished(self, code: int) -> None:
        """The command has ended: what was learned is on disk before its exit status is passed on."""
        back = self._back
        if back is None:
            return
        self.keeper.save()
        if self.learn:
            back.say(self._summary())
        back.tell(f"exit {code}")
        self._back = None

    def _summary(self) -> str:
        below = [d for d in self.policy.domains.values() if d is self.first or d.name.startswith(self.first.name + " ")]
        entries = sum(len(domain.entries) for domain in below)
        return (
            f"learned {self.keeper.updates} new entries; {len(below)} domains with {entries} entries "
            f"in {self.directory.path}"
        )

    def abandon(self) -> None:
        """The supervisor can't go on: what was learned is saved, if that can be; its journal stays if not."""
        with contextlib.suppress(Exception):
            self.keeper.close()

    def wait(self) -> None:
        """The command has ended, which it hasn't for its parent before those of its threads have that were traced."""
        while self._back is not None:
            self._child_changed(*os.waitpid(-1, _WALL))

    def close(self) -> None:
        """The tree is empty: the last of it is saved."""
        if self._server is not None:
            self._server.close()
        self.wait()
        self.keeper.close()
