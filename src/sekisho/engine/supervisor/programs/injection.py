"""execve(2) with a path and arguments that the caller never had in its memory: how an execute handler is started.

A stopped call can be answered, not altered. So its caller is traced: the call is made to return, the thread
is stopped before it sees that, and makes two other calls instead: an mmap(2) for the strings
and the execve of the handler, which stops for the supervisor as any other does and is verified as any other is.
No signal reaches the thread meanwhile. If the handler can't be executed the thread
goes on as if its own call had failed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from sekisho.engine.supervisor.programs import scratch
from sekisho.engine.supervisor.programs.scratch import Area, Scratch
from sekisho.engine.supervisor.system import libc, memory
from sekisho.engine.supervisor.system.notify import Notification
from sekisho.engine.supervisor.system.registers import LAYOUTS, Registers
from sekisho.engine.supervisor.tasks import Process

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call
    from sekisho.engine.supervisor.plan import Answer
    from sekisho.engine.supervisor.supervisor import Supervisor

_SYSCALL, _INTERRUPT, _LISTEN = 24, 0x4207, 0x4208
_GETSIGMASK, _SETSIGMASK = 0x420A, 0x420B
_SIGNALS: Final = 8
SYSCALL_STOP: Final = signal.SIGTRAP | 0x80
"""What a stop at the entry or exit of a system call shows as its signal (PTRACE_O_TRACESYSGOOD)."""
_EVENT_STOP: Final = 128
_PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS = 3, 0x22
_RESTARTS: Final = (512, 513, 514, 516)
"""What the kernel answers with a call begun anew: SIGSTOP came before we had heard of it."""
_NO_FD: Final = (1 << 64) - 1


class _Listening(Exception):
    """The whole process was stopped by a signal (group-stop): it waits for SIGCONT, then stops once more."""


class _Stage(Enum):
    STOPPING = auto()
    MAPPING = auto()
    EXECUTING = auto()


@dataclass(slots=True, eq=False)
class Injection:
    """One thread's exec that is being replaced."""

    process: Process
    tid: int
    path: bytes
    argv: tuple[bytes, ...]
    made: Callable[[Call], Answer]
    """Answers the exec of ``path`` when it is there."""
    failed: Callable[[int], None]
    """Is told the errno with which that failed, which the caller gets, too."""
    stage: _Stage = _Stage.STOPPING
    inside: bool = False
    """Between the entry and the exit of a system call."""
    before: Registers | None = None
    mask: bytes = b""
    area: Area | None = None
    arguments: tuple[int, int, int] = (0, 0, 0)

    @property
    def size(self) -> int:
        """How much memory path and arguments take."""
        return len(self.path) + 1 + sum(len(word) + 1 for word in self.argv) + 8 * (len(self.argv) + 2)


class Injections:
    """The replaced execs of one supervisor that aren't over yet."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._scratch = Scratch(supervisor.tasks)
        self._layout = LAYOUTS[supervisor.architecture.machine]
        self._running: dict[int, Injection] = {}

    def begin(self, injection: Injection) -> int:
        """What to answer to the call of the (traced) thread, whose exec becomes that of ``injection``."""
        libc.ptrace(_INTERRUPT, injection.tid)
        self._running[injection.tid] = injection
        return -errno.EINTR

    def made(self, notification: Notification) -> Injection | None:
        """The injection whose exec ``notification`` is."""
        injection = self._running.get(notification.tid)
        if injection is None or injection.stage is not _Stage.EXECUTING:
            return None
        execve = self._supervisor.architecture.numbers["execve"]
        if notification.nr != execve or notification.args[:3] != injection.arguments:
            return None
        return injection

    def stopped(self, tid: int, status: int) -> bool:
        """Whether ``tid`` goes on with its injection after this ptrace stop; if not it may be detached."""
        injection = self._running.get(tid)
        if injection is None:
            return False
        try:
            deliver = self._advance(injection, status)
            if deliver is None:
                return False
            libc.ptrace(_SYSCALL, tid, 0, deliver)
        except _Listening:
            libc.ptrace(_LISTEN, tid)
        except ProcessLookupError:
            return True
        except OSError as failure:
            self._fail(injection, failure.errno or errno.EPERM)
            return False
        return True

    def _advance(self, injection: Injection, status: int) -> int | None:
        """The signal to go on with, 0 for none; None when the injection is over."""
        event, number = status >> 16, status >> 8 & 0xFF
        if event == _EVENT_STOP:
            if number != signal.SIGTRAP:
                raise _Listening
            if injection.stage is _Stage.STOPPING:
                self._prepare(injection)
            return 0
        if number != SYSCALL_STOP:
            return number
        injection.inside = not injection.inside
        if injection.inside:
            return 0
        result = Registers.of(injection.tid, self._layout).result
        if -result in _RESTARTS:
            return 0
        if result <= 0 or injection.stage is _Stage.EXECUTING:
            # A filter of the program's own can answer either call, with success too.
            code = -result or errno.EPERM
            raise OSError(code, os.strerror(code))
        area = self._scratch.add(injection.process, injection.tid, result, scratch.size_for(injection.size))
        self._execute(injection, area)
        return 0

    def _prepare(self, injection: Injection) -> None:
        """The thread, which has left its call, begins the first one of ours."""
        tid = injection.tid
        injection.before = before = Registers.of(tid, self._layout)
        mask = ctypes.create_string_buffer(_SIGNALS)
        libc.ptrace(_GETSIGMASK, tid, _SIGNALS, ctypes.addressof(mask))
        injection.mask = mask.raw
        _set_mask(tid, b"\xff" * _SIGNALS)
        area = self._scratch.take(injection.process, tid, injection.size)
        if area is not None:
            self._execute(injection, area)
            return
        injection.stage = _Stage.MAPPING
        size = scratch.size_for(injection.size)
        number = self._supervisor.architecture.numbers["mmap"]
        before.calling(number, 0, size, _PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS, _NO_FD).apply(tid)

    def _execute(self, injection: Injection, area: Area) -> None:
        """The thread is about to execute the handler; all that takes stands in ``area``."""
        assert injection.before is not None
        injection.stage, injection.area = _Stage.EXECUTING, area
        words = (*injection.argv, injection.path)
        at = area.start + 8 * len(words)
        pointers, text = [], b""
        for word in words:
            pointers.append(at + len(text))
            text += word + b"\0"
        path, end = pointers[-1], area.start + 8 * len(injection.argv)
        pointers[-1] = 0
        memory.write(injection.tid, area.start, struct.pack(f"{len(pointers)}Q", *pointers) + text)
        injection.arguments = (path, area.start, end)
        number = self._supervisor.architecture.numbers["execve"]
        injection.before.calling(number, *injection.arguments).apply(injection.tid)

    def _fail(self, injection: Injection, code: int) -> None:
        """The thread is as if its own call had failed."""
        self._drop(injection)
        injection.failed(code)
        with contextlib.suppress(ProcessLookupError):
            if injection.before is not None:
                injection.before.returning(-code).apply(injection.tid)
                _set_mask(injection.tid, injection.mask)

    def executed(self, pid: int, former: int) -> None:
        """The thread ``former`` of the (stopped) process ``pid`` runs a new program; no other is left."""
        injection = self._running.get(former)
        if injection is not None:
            _set_mask(pid, injection.mask)
        for other in [each for each in self._running.values() if each.process.tgid == pid]:
            self._drop(other)

    def ended(self, tid: int) -> None:
        """The thread ``tid`` is gone."""
        injection = self._running.get(tid)
        if injection is not None:
            self._drop(injection)

    def _drop(self, injection: Injection) -> None:
        del self._running[injection.tid]
        if injection.area is not None:
            injection.area.busy = False


def _set_mask(tid: int, mask: bytes) -> None:
    """The stopped thread ``tid`` blocks these signals."""
    buffer = ctypes.create_string_buffer(mask, _SIGNALS)
    libc.ptrace(_SETSIGMASK, tid, _SIGNALS, ctypes.addressof(buffer))
