"""One run seen from outside the loop: the command's life, audit records, saving what was learned."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Final

from sekisho.audit.record import Record, format_json, make_notice, make_record
from sekisho.decide.decision import Decision
from sekisho.decide.request import Facts, Request
from sekisho.engine.supervisor.judge import Judge
from sekisho.engine.supervisor.questions import Questions
from sekisho.engine.supervisor.records import RecordQueue
from sekisho.engine.supervisor.running.authority import LiveAuthority
from sekisho.engine.supervisor.running.front import Back
from sekisho.engine.supervisor.supervisor import Supervisor
from sekisho.engine.supervisor.system import libc
from sekisho.errors import SekishoError
from sekisho.interface import sockets
from sekisho.interface.memory import Meter
from sekisho.interface.server import ControlServer
from sekisho.policy.model import AclEntry, Domain, Mode, Policy
from sekisho.store.auditlog import AuditWriter
from sekisho.store.directory import PolicyDirectory
from sekisho.store.journal import Journal

_WALL: Final = 0x40000000
_SAVE_EVERY: Final = 2.0
_SAVE_EDITS: Final = 0.1


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
        self._meter = Meter()

    def judge(self, back: Back) -> Judge:
        """A judge over this run's policy; what it wants recorded goes to the audit log."""
        self._back = back
        self._audit = AuditWriter(self.directory.audit_log)
        self._journal = Journal(self.directory.path)
        self.statistics = self.directory.statistics()
        self.questions.quota = lambda: self.statistics.query_memory.quota
        self._updates = self._saved = 0
        rules = self.directory.rewrite_rules()
        self._judge = Judge(self.policy, rules, self._record, self._note, self._learned, self._violated, self.questions)
        self._judge.is_full = self._is_full
        self._next = time.monotonic() + _SAVE_EVERY
        return self._judge

    def _record(self, domain: Domain, request: Request, decision: Decision) -> None:
        self._write(make_record(time.time(), domain, request, decision))

    def _write(self, record: Record) -> None:
        namespace = self.policy.namespaces[record.domain.partition(" ")[0]]
        profile = namespace.profiles.get(record.profile)
        most = profile.max_audit_log if profile is not None else 0
        self.records.put(record, most, self.statistics.audit_memory.quota)
        try:
            self._audit.append([format_json(record)])
        except OSError as error:
            self._say(f"{self.directory.audit_log}: {error.strerror}: audit records are being lost")

    def updated(self, *, by_hand: bool = False) -> None:
        """Policy has changed: that is counted, and saved soon; what no journal holds (``by_hand``), sooner."""
        self._updates += 1
        if by_hand:
            self._next = min(self._next, time.monotonic() + _SAVE_EDITS)
        self.statistics = self.statistics.updated(int(time.time()))

    def _learned(self, domain: Domain, entry: AclEntry) -> None:
        self.updated()
        try:
            self._journal.add(domain, entry)
        except OSError as error:
            self._say(
                f"{self._journal.path}: {error.strerror}; what is learned is kept in memory until it can be saved"
            )

    def _is_full(self) -> bool:
        quota = self.statistics.policy_memory.quota
        if not quota or self._meter.measure(self.policy) < quota:
            return False
        self._say(f"policy takes {quota} bytes, which is all it may (see stat.conf): nothing more is learned")
        return True

    def _violated(self, mode: Mode) -> None:
        self.statistics = self.statistics.violated(mode, int(time.time()))

    def _say(self, text: str) -> None:
        if self._back is not None and text not in self._said:
            self._said.add(text)
            self._back.say(text)

    def _note(self, domain: Domain, text: str, facts: Facts) -> None:
        mode = self.policy.config(domain, "file::execute").mode
        self._write(make_notice(time.time(), domain, mode, text, facts))

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
        supervisor.timed.append(self)

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
        executions = self._supervisor.executions
        if os.WIFSTOPPED(status):
            if not executions.stopped(pid, status) and pid == self._child and self._back:
                self._back.tell("stopped")
            return
        if os.WIFCONTINUED(status):
            return
        executions.ended(pid)
        self._supervisor.workers.collected(pid)
        if pid == self._child:
            self._finished(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))

    def _finished(self, code: int) -> None:
        """The command has ended: what was learned is on disk before its exit status is passed on."""
        back = self._back
        if back is None:
            return
        self.save()
        if self.learn:
            back.say(self._summary())
        back.tell(f"exit {code}")
        self._back = None

    def _summary(self) -> str:
        below = [d for d in self.policy.domains.values() if d is self.first or d.name.startswith(self.first.name + " ")]
        entries = sum(len(domain.entries) for domain in below)
        return (
            f"learned {self._updates} new entries; {len(below)} domains with {entries} entries in {self.directory.path}"
        )

    def patience(self) -> float:
        """How long saving can wait, in seconds (-1: there is nothing to save)."""
        return max(0.0, self._next - time.monotonic()) if self._updates != self._saved else -1

    def look(self) -> None:
        """What was learned or changed reaches the disk within seconds."""
        if self._updates != self._saved and time.monotonic() >= self._next:
            self.save()

    def save(self) -> None:
        """What this run has learned is in the policy directory; a failure is told, and tried again later."""
        self._next = time.monotonic() + _SAVE_EVERY
        try:
            self.directory.save(self.policy, self.statistics)
            self._saved = self._updates
            self._journal.saved()
        except (OSError, SekishoError) as error:
            self._say(f"could not save what was learned: {error}")

    def close(self) -> None:
        """The tree is empty: the last of it is saved."""
        if self._server is not None:
            self._server.close()
        if self._back is not None:
            pid, status = os.waitpid(self._child, _WALL)
            self._child_changed(pid, status)
        self.save()
        if self._updates == self._saved:
            self._journal.close()
        self._audit.close()
