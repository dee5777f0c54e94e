"""Threads that are stopped for a while, wherever they are (PTRACE_SEIZE, PTRACE_INTERRUPT)."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Final

from sekisho.engine.supervisor.system import libc, procfs

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_TRACESYSGOOD, _FORKS, _TRACEEXEC, _EXITKILL = 1, 0x2 | 0x4 | 0x8, 0x10, 0x100000
_WALL: Final = 0x40000000
_EVENT_FORK, _EVENT_CLONE = 1, 3
EVENT_STOP: Final = 128
_WORKERS: Final = 0x10 | 0x4000
"""PF_IO_WORKER and PF_USER_WORKER: threads that never leave the kernel and can't be stopped."""
_ENDED: Final = (b"Z", b"X")
_PAST: Final = (b"S", b"T", b"t", *_ENDED)
"""How a thread shows that has got beyond the beginning of its call: what that waits for isn't interruptible."""


def stop(tid: int) -> None:
    """Thread ``tid`` will stop, and so will whatever it makes until then; raises OSError where it can't be traced."""
    libc.ptrace(_SEIZE, tid, 0, _TRACESYSGOOD | _FORKS | _TRACEEXEC | _EXITKILL)
    libc.ptrace(_INTERRUPT, tid)


def again(tid: int) -> None:
    """The same for one that has been seized before."""
    with contextlib.suppress(ProcessLookupError):
        libc.ptrace(_INTERRUPT, tid)


def reported(tid: int) -> int | None:
    """The wait status of a stop of ``tid`` that nobody has been told of; its end is left to whoever waits for that."""
    try:
        found = os.waitid(os.P_PID, tid, os.WSTOPPED | os.WNOHANG | _WALL)
    except ChildProcessError:
        return None
    return None if found is None else found.si_status << 8 | 0x7F


def born(tid: int, status: int) -> int | None:
    """The number of the thread or process that the stopped ``tid`` has just made, if that is why it stopped."""
    if not _EVENT_FORK <= status >> 16 <= _EVENT_CLONE:
        return None
    try:
        return libc.event_message(tid)
    except OSError:
        return None


def resume(tid: int, status: int) -> None:
    """The stopped ``tid`` goes on, untraced, with the signal that it was stopped for, if any."""
    deliver = 0 if status >> 16 else os.WSTOPSIG(status)
    with contextlib.suppress(ProcessLookupError):
        libc.ptrace(_DETACH, tid, 0, 0 if deliver == signal.SIGTRAP | 0x80 else deliver)


def harmless(tid: int) -> bool:
    """Whether ``tid`` has ended, or never does anything of its own."""
    state, flags = _state(tid)
    return state in _ENDED or bool(flags & _WORKERS)


def traced(tid: int) -> bool:
    """Whether somebody else traces ``tid``."""
    try:
        tracer = int(procfs.field(procfs.read(f"/proc/{tid}/status"), b"TracerPid") or 0)
    except OSError:
        return False
    return tracer not in (0, os.getpid())


def past(tid: int) -> bool:
    """Whether ``tid``, which was let go on with a call, is beyond the call's beginning for certain."""
    return _state(tid)[0] in _PAST


def turns(tid: int) -> int:
    """How often ``tid`` has been given a processor; 0 where the kernel doesn't count that."""
    try:
        return int(procfs.read(f"/proc/{tid}/schedstat", 256).split()[2])
    except OSError:
        return 0


def _state(tid: int) -> tuple[bytes, int]:
    try:
        fields = procfs.read(f"/proc/{tid}/stat", 1024).rpartition(b")")[2].split()
    except OSError:
        return b"X", 0
    return fields[0], int(fields[6])


def threads(tgid: int) -> set[int]:
    """The threads of a process; none when it is gone."""
    try:
        return set(map(int, os.listdir(f"/proc/{tgid}/task")))
    except OSError:
        return set()
