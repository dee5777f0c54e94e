"""Whom a number means: processes by the number their caller knows them by, and the domains they are in.

A process outside the tree counts as ``<kernel>``, and so does one whose domain can't be known. In a pid
namespace of its own the caller's numbers are others than ours (pid_namespaces(7)).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
from dataclasses import dataclass, field
from fcntl import ioctl
from typing import Final

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.system import procfs
from sekisho.engine.supervisor.tasks import Lost, Process

OUTSIDE: Final = "<kernel>"
_NS_GET_PARENT: Final = 0xB702
_PROC_FOLDER: Final = re.compile(r"proc:/(\d+|self)/")


@dataclass(slots=True)
class Targets:
    """Processes that a call would reach, without the one that makes it."""

    processes: set[Process] = field(default_factory=set)
    outside: bool = False
    """Also some that aren't of the tree."""
    ours: bool = False
    """Also the supervisor or what belongs to it, which the guards see to."""
    own: bool = False
    """Also the process that makes it."""
    loose: bool = False
    """Also some whose number may be somebody else's before long: a thread's, or of one whose end we don't see."""
    pids: list[int] = field(default_factory=list, compare=False)
    """Our numbers of all of them but ours."""
    dead: list[str | None] = field(default_factory=list)
    """The domains, as far as known, of those that have ended and only wait for their parents to take note."""

    def domains(self, call: Call) -> list[str]:
        """The names of their domains, those that an exec under way leads to included."""
        names = {OUTSIDE} if self.outside else set()
        names.update(filter(None, self.dead))
        for process in self.processes:
            with contextlib.suppress(OSError):
                call.supervisor.executions.look(process, process.tgid)
            names.add(process.domain.name)
            destination = call.supervisor.executions.destination(process.tgid)
            if destination is not None:
                names.add(destination.name)
        return sorted(names)

    def add(self, call: Call, pid: int) -> None:
        """Task ``pid`` (as we number it) is reached as well."""
        if pid in call.supervisor.guard.processes:
            self.ours = True
            return
        tasks = call.supervisor.tasks
        # Who has ended isn't taken for a child that nobody has seen yet.
        dead = pid not in tasks.by_tid and _dead(pid)
        try:
            process = None if dead else tasks.member(pid)
        except Lost:
            process = None
        except OSError:
            return
        self.pids.append(pid)
        self.loose = self.loose or process is None or pid not in (process.tgid, call.tid)
        if dead:
            domain = tasks.ended.get(pid)
            self.dead.append(None if domain is None else domain.name)
        elif process is None:
            self.outside = True
        elif process is call.process:
            self.own = True
        else:
            self.processes.add(process)

    def somebody(self) -> Targets:
        """These; raises OSError(ESRCH) for nobody: who is born before the kernel looks must not be found by it."""
        if self.processes or self.outside or self.ours or self.own or self.dead:
            return self
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))

    def add_group(self, call: Call, pgid: int) -> None:
        """The process group ``pgid`` (as we number it) is reached as well."""
        for pid in {*(pid for pid in processes() if _group(pid) == pgid), *joining(call, pgid)}:
            self.add(call, pid)


def _dead(pid: int) -> bool:
    """Whether no thread of process ``pid`` lives any more."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(0))
    finally:
        os.close(fd)


def one(call: Call, number: int) -> Targets:
    """The process that the caller's ``number`` means, be it a thread's; raises OSError(ESRCH) where there is none."""
    found = Targets()
    for pid in numbered(call, number):
        found.add(call, pid)
    return found.somebody()


def group(call: Call, number: int) -> Targets:
    """The processes of the process group ``number``, 0 for the caller's; raises OSError(ESRCH) where there is none."""
    found = Targets()
    pgid = 0 if call.process.nested else number or os.getpgid(call.process.tgid)
    for pid in {*members(call, number), *joining(call, pgid)}:
        found.add(call, pid)
    return found.somebody()


def everybody(call: Call) -> Targets:
    """Every process that there is."""
    found = Targets(outside=True)
    for pid in processes():
        found.add(call, pid)
    return found


def processes() -> list[int]:
    """The numbers of all processes."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def members(call: Call, number: int) -> list[int]:
    """The processes of the process group that the caller calls ``number``, 0 for its own."""
    if number and _elsewhere(call):
        return [pid for pid in processes() if _is(call, pid, b"NSpgid", number)]
    pgid = number or os.getpgid(call.process.tgid)
    return [pid for pid in processes() if _group(pid) == pgid]


def joining(call: Call, pgid: int) -> list[int]:
    """The processes that may be about to join the process group ``pgid`` (as we number it), 0 for any."""
    return [process.tgid for process in call.supervisor.underway.joining(pgid)]


def numbered(call: Call, number: int) -> list[int]:
    """Our numbers of what the caller calls task ``number``: several only where its namespace can't be looked at."""
    if not _elsewhere(call):
        return [number]
    return [tid for pid in processes() for tid in _threads(pid) if _is(call, tid, b"NSpid", number)]


def _elsewhere(call: Call) -> bool:
    """Whether the caller is in another pid namespace than we are."""
    return call.process.nested and _space(call.tid) != _space(os.getpid())


def _is(call: Call, tid: int, name: bytes, number: int) -> bool:
    """Whether the caller's pid namespace shows ``number`` as this field of task ``tid``."""
    try:
        depth = len(_numbers(call.tid, b"NSpid"))
        numbers = _numbers(tid, name)
        if len(numbers) < depth or numbers[depth - 1] != number:
            return False
    except OSError:
        return False
    try:
        return _space(tid, len(_numbers(tid, b"NSpid")) - depth) == _space(call.tid)
    except OSError:
        return True


def _numbers(tid: int, name: bytes) -> list[int]:
    """A task's numbers, from our pid namespace's to its own (proc_pid_status(5))."""
    return [int(word) for word in procfs.field(procfs.read(f"/proc/{tid}/status"), name).split()]


def _space(tid: int, above: int = 0) -> int:
    """Which pid namespace task ``tid`` is in, or the one so many ``above`` it."""
    fd = os.open(f"/proc/{tid}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        for _ in range(above):
            parent = ioctl(fd, _NS_GET_PARENT)
            os.close(fd)
            fd = parent
        return os.fstat(fd).st_ino
    finally:
        os.close(fd)


def _threads(pid: int) -> list[int]:
    try:
        return [int(entry) for entry in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return -1


def behind(call: Call, number: int) -> int:
    """Our number of the process behind the caller's pidfd ``number``; 0 when it is none, or nobody's any more."""
    try:
        return _pidfd(call, f"/proc/{call.tid}/fdinfo/{signed(number)}", call.descriptor(number))
    except FileNotFoundError:
        return 0
    except OSError as failure:
        if failure.errno == errno.EBADF:
            return 0
        raise


def behind_ours(call: Call, fd: Fd) -> int:
    """The same for a descriptor that has been pinned."""
    return _pidfd(call, f"/proc/self/fdinfo/{fd}", fd)


def _pidfd(call: Call, information: str, fd: Fd) -> int:
    text = procfs.read(information)
    if b"\nPid:" in text:
        return max(0, int(procfs.field(text, b"Pid")))
    # A directory of proc serves as one, too (pidfd_send_signal(2)).
    folder = _PROC_FOLDER.fullmatch(call.describe(fd).name)
    if folder is None:
        return 0
    return call.process.tgid if folder[1] == "self" else int(folder[1])
