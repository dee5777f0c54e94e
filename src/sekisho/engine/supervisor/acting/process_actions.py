"""What concerns other processes, and the clock, done in a caller's place (see ``actions``)."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import struct
from typing import Final

from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.system import libc

_F_SETOWN_EX: Final = 15
_TIOCGPTPEER: Final = 0x5441
_ROOM: Final = 1024


def kill(pid: int, sig: int) -> int:
    """kill(2)."""
    os.kill(pid, sig)
    return 0


def tkill(tid: int, sig: int) -> int:
    """tkill(2)."""
    return libc.syscall("tkill", tid, sig)


def tgkill(tgid: int, tid: int, sig: int) -> int:
    """tgkill(2)."""
    return libc.syscall("tgkill", tgid, tid, sig)


def queue_signal(tgid: int, sig: int, information: bytes) -> int:
    """rt_sigqueueinfo(2)."""
    return libc.syscall("rt_sigqueueinfo", tgid, sig, information)


def queue_thread_signal(tgid: int, tid: int, sig: int, information: bytes) -> int:
    """rt_tgsigqueueinfo(2)."""
    return libc.syscall("rt_tgsigqueueinfo", tgid, tid, sig, information)


def send_by_pidfd(pidfd: Fd, sig: int, information: bytes, flags: int) -> int:
    """pidfd_send_signal(2); without ``information`` it is kill(2)'s."""
    return libc.syscall("pidfd_send_signal", int(pidfd), sig, information or None, flags)


def set_owner(fd: Fd, kind: int, number: int) -> int:
    """fcntl(F_SETOWN_EX): who gets the signals of ``fd``."""
    fcntl.fcntl(fd, _F_SETOWN_EX, struct.pack("ii", kind, number))
    return 0


def set_signal(fd: Fd, sig: int) -> int:
    """fcntl(F_SETSIG): which signal that is."""
    return fcntl.fcntl(fd, fcntl.F_SETSIG, sig)


def get_descriptor(pidfd: Fd, number: int) -> Fd:
    """pidfd_getfd(2)."""
    return Fd(libc.pidfd_getfd(pidfd, number))


def control_device(fd: Fd, command: int, given: bytes) -> bytes:
    """ioctl(2) of a command whose argument is as long as ``given``; what that holds afterwards."""
    # More room than it has to take: whoever writes more than is known must not write into us.
    told: bytes = fcntl.ioctl(fd, command, given.ljust(_ROOM, b"\0"))
    return told[: len(given)]


def open_peer(terminal: Fd, flags: int) -> Fd:
    """ioctl(TIOCGPTPEER): the other end of a terminal, never as our own."""
    return Fd(fcntl.ioctl(terminal, _TIOCGPTPEER, flags | os.O_NOCTTY | os.O_CLOEXEC))


def limit_core(pid: int, hard: int) -> int:
    """prlimit(2): process ``pid`` leaves no core dump, and may allow ``hard`` bytes at most."""
    resource.prlimit(pid, resource.RLIMIT_CORE, (0, hard))
    return 0


def clock_state(clock: int, modes: int, size: int) -> tuple[int, bytes]:
    """clock_adjtime(2) with ``modes`` that adjust nothing: (its result, the ``struct timex`` of ``size`` bytes)."""
    buffer = ctypes.create_string_buffer(struct.pack("I", modes), size)
    state = libc.syscall("clock_adjtime", clock, buffer)
    return state, buffer.raw
