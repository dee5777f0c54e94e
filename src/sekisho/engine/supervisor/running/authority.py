"""What the interface files show and change of a running tree."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from sekisho.engine.records import RecordQueue
from sekisho.engine.supervisor.questions import Questions
from sekisho.engine.supervisor.running import protect
from sekisho.engine.supervisor.supervisor import Supervisor
from sekisho.engine.supervisor.tasks import Lost, children, lineage
from sekisho.interface.authority import ProcessState
from sekisho.names.word import encode
from sekisho.policy.model import Domain, Policy
from sekisho.policy.stat import Statistics

if TYPE_CHECKING:
    from sekisho.engine.supervisor.running.session import Session

_DELETED: Final = b" (deleted)"
"""What the kernel adds to the name of a file that is gone; a file may be called so, too."""


class LiveAuthority:
    """A running tree, as ``interface.authority.Authority``."""

    active = True

    def __init__(self, session: Session, supervisor: Supervisor) -> None:
        self._session = session
        self._supervisor = supervisor
        self.policy: Policy = session.policy
        self.questions: Questions = session.questions
        self.audit: RecordQueue = session.records
        self.owner = os.getuid()

    @property
    def statistics(self) -> Statistics:
        """The counters, this run's included."""
        return self._session.statistics

    @statistics.setter
    def statistics(self, value: Statistics) -> None:
        self._session.statistics = value

    def changed(self) -> None:
        """Policy as it is now holds for whoever asks next, and is saved soon."""
        self._session.updated(by_hand=True)
        self._supervisor.policy_changed()

    def domain_of(self, pid: int) -> Domain | None:
        """The domain of a process or thread; ``<kernel>`` outside the tree, None where there is none such."""
        tasks = self._supervisor.tasks
        try:
            if pid in tasks.by_tid or (pid not in self._supervisor.guard.processes and self._is_below(pid)):
                return tasks.find(pid).domain
        except (OSError, Lost):
            return None
        return self.policy.domains["<kernel>"] if os.path.exists(f"/proc/{pid}") else None

    def is_outside(self, pid: int) -> bool:
        """Whether process ``pid`` is neither of any tree, nor a supervisor or worker of one (which connects in its
        programs' places)."""
        if pid in self._supervisor.guard.processes:
            return False
        try:
            while pid > 1 and pid != os.getpid() and not protect.is_marked(pid):
                if pid in self._supervisor.tasks.by_tgid:
                    return False
                pid = lineage(pid)[1]
            return pid in (0, 1) and pid != os.getpid()
        except OSError:
            return False

    def _is_below(self, pid: int) -> bool:
        """Whether process ``pid`` stands in the tree, by its ancestors."""
        own = os.getpid()
        while pid > 1:
            pid = lineage(pid)[1]
            if pid == own or pid in self._supervisor.tasks.by_tgid:
                return True
        return False

    def executable_of(self, pid: int) -> str | None:
        """The encoded real path of the process's program; None where that is another's mount namespace's affair."""
        try:
            foreign = os.stat(f"/proc/{pid}/ns/mnt").st_ino != os.stat("/proc/self/ns/mnt").st_ino
            # Nobody may call a program of his own what he likes, by mounting it there in a namespace of his own.
            if foreign and not self.is_outside(lineage(pid)[0]):
                return None
            return encode(_program(pid))
        except OSError:
            return None

    def processes(self) -> Iterator[ProcessState]:
        """The processes of the tree, parents first."""
        left = sorted(children(os.getpid()), reverse=True)
        while left:
            pid = left.pop()
            if pid in self._supervisor.workers.pids:
                continue
            try:
                process = self._supervisor.tasks.find(pid)
            except (OSError, Lost):
                continue
            waiting = self.questions.waiting(process.tgid)
            yield ProcessState(process.tgid, process.parent, process.domain, process.execute_handler, waiting)
            left += sorted(children(pid), reverse=True)

    def move(self, tid: int, name: str) -> None:
        """The process of thread ``tid`` is in the domain ``name``; OSError with the errno of spec a.4."""
        try:
            self._supervisor.moves.manual(tid, name)
        except Lost as reason:
            raise PermissionError(1, str(reason)) from None

    def subscribe(self, wake: Callable[[], None]) -> None:
        """``wake()`` is called whenever a question or a record has come in."""
        self.questions.wake = self.audit.wake = wake


def _program(pid: int) -> bytes:
    link = os.fsencode(f"/proc/{pid}/exe")
    path = os.readlink(link)
    if path.endswith(_DELETED):
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.stat(link)):
                return path
    return path.removesuffix(_DELETED)
