"""Every task that was there before the engine has its domain."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon.tasks import Process, began, infer, processes, threads
from sekisho.policy.model import Domain, Policy

_PIDFD_THREAD: Final = os.O_EXCL
_GONE: Final = (errno.ESRCH, errno.EINVAL, errno.ENOENT)
_ROUNDS: Final = 20
"""Processes begin faster than this many looks at all of them only where something is very wrong."""


class Tasks(Protocol):
    """The map of what each task carries."""

    def lookup(self, key: int, /) -> bytes | None:
        """What the task behind a pidfd carries."""

    def update(self, key: int, value: bytes, condition: int = 0, /) -> None:
        """The task behind a pidfd carries ``value``."""


class Assignment:
    """Gives domains to tasks that have none; a task that got its own from its creator keeps it."""

    def __init__(
        self,
        policy: Policy,
        tasks: Tasks,
        number: Callable[[Domain], int],
        domain: Callable[[int], Domain | None],
        look: Callable[[], Iterable[Process]] = processes,
    ) -> None:
        self._policy = policy
        self._tasks = tasks
        self._number = number
        self._domain = domain
        self._look = look
        self._known: dict[int, tuple[Domain, bytes | None]] = {}
        self._started: dict[int, int] = {}
        """When each of those began: another may get its number."""
        self.assigned = 0

    def plan(self) -> None:
        """Every domain that processes of now need is there in policy."""
        found = list(self._look())
        self._infer(found, self._known)
        self._started = {process.pid: process.started for process in found}

    def assign(self) -> None:
        """Every task has a domain, those that began meanwhile included."""
        for _ in range(_ROUNDS):
            if not self._round():
                return

    def _round(self) -> int:
        """How many tasks had none."""
        found = list(self._look())
        known = {process.pid: self._known[process.pid] for process in found if self._same(process)}
        self._infer(found, known)
        self._known = known
        self._started = {process.pid: process.started for process in found}
        given = 0
        for process in found:
            if process.is_kernel:
                continue  # the kernel's own are where they are without being told
            number = self._number(known[process.pid][0])
            given += self.give(process, number)
            given += sum(self.give(process, number, thread) for thread in threads(process.pid))
        self.assigned += given
        return given

    def _infer(self, found: list[Process], known: dict[int, tuple[Domain, bytes | None]]) -> None:
        """``known`` has the domain of each process: the one that it is in, or the one where it ought to be."""
        for process in found:
            if process.pid not in known:
                number = self._carried(process.pid)
                domain = self._domain(number) if number else None
                if domain is not None:
                    known[process.pid] = (domain, process.program)
        infer(self._policy, found, known)

    def _carried(self, pid: int) -> int:
        """The number of the domain that the process is in, 0 for none."""
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            return 0
        try:
            present = self._tasks.lookup(fd)
        except OSError:
            return 0
        finally:
            os.close(fd)
        return int(layout.Task.from_buffer_copy(present).domain) if present is not None else 0

    def remember(self) -> None:
        """Where everybody is, and what it runs there, is known: nobody moves until ``overtaken`` is asked."""
        found = list(self._look())
        known: dict[int, tuple[Domain, bytes | None]] = {}
        self._infer(found, known)
        self._known, self._started = known, {process.pid: process.started for process in found}

    def overtaken(self) -> list[tuple[Process, int, Domain]]:
        """Processes that have begun or executed something since, while nobody moved anywhere: the number of the domain
        that they are in, and the domain where they ought to be, which is there in policy.
        """
        found = list(self._look())
        fresh = {process.pid: self._known[process.pid] for process in found if self._same(process)}
        same = set(fresh)
        infer(self._policy, found, fresh)
        moved = [
            (process, self._carried(process.pid), fresh[process.pid][0])
            for process in found
            if process.pid not in same and process.program is not None
        ]
        return [each for each in moved if self._is_policys(each[1]) and each[1] != self._number(each[2])]

    def _is_policys(self, number: int) -> bool:
        """Whether who is there is for policy to place: not the engine's own processes, nor whose domain is deleted."""
        return not number or self._domain(number) is not None

    def correct(self, process: Process, given: int, domain: Domain) -> bool:
        """The process, its threads too, is in ``domain`` if it is still where it was; whether it is now."""
        number = self._number(domain)
        fds = [_open(process), *(_open(process, thread) for thread in threads(process.pid))]
        return sum(self._put(fd, number, given) for fd in fds if fd >= 0) > 0

    def _same(self, process: Process) -> bool:
        held = self._known.get(process.pid)
        return held is not None and held[1] == process.program and self._started.get(process.pid) == process.started

    def give(self, process: Process, number: int, thread: int = 0) -> bool:
        """The process, or that thread of it, is in the domain ``number`` unless it is in one already, or gone; whether
        it is now.
        """
        fd = _open(process, thread)
        return fd >= 0 and self._put(fd, number, 0)

    def _put(self, fd: int, number: int, given: int) -> bool:
        """The task of the pidfd ``fd``, which is closed, is in ``number`` if it was in ``given`` (0: no domain)."""
        try:
            present = self._tasks.lookup(fd)
            if (layout.Task.from_buffer_copy(present).domain if present is not None else 0) != given:
                return False
            self._tasks.update(fd, bytes(layout.Task(domain=number, flags=layout.TASK_INFERRED)))
        except OSError as error:
            if error.errno not in _GONE:
                raise
            return False
        finally:
            os.close(fd)
        return True


def _open(process: Process, thread: int = 0) -> int:
    """A pidfd of the process, or of that thread of it. Raises OSError.

    -1 where it is gone, also where another has its number by now, and where the kernel has no pidfds for threads, which
    then are where their process is.
    """
    try:
        fd = os.pidfd_open(thread or process.pid, _PIDFD_THREAD if thread else 0)
    except OSError as error:
        if error.errno in _GONE:
            return -1
        raise
    # What is true of the number after it was opened is true of whom the descriptor is of, unless it has ended.
    is_meant = os.path.exists(f"/proc/{process.pid}/task/{thread}") if thread else True
    if is_meant and began(process.pid) == process.started:
        return fd
    os.close(fd)
    return -1
