"""Calls that a worker is busy with: answered when it is done, given up when the caller is gone or signalled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.plan import LATER, Answer, Later
from sekisho.engine.supervisor.system.procfs import signalled

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor
from sekisho.engine.supervisor.acting.workers import Worker

_INTERVAL: Final = 0.05
_ERESTARTSYS: Final = -512
"""The kernel turns it into EINTR or a restart, as the caller's signal handler asked (SA_RESTART)."""


@dataclass(slots=True)
class _Pending:
    call: Call
    worker: Worker
    then: Callable[[Any], Answer] | None
    again: Callable[[OSError], bool]


class Waiting:
    """The pending calls of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._pending: dict[int, _Pending] = {}
        self._next = 0.0

    def add(
        self,
        call: Call,
        worker: Worker,
        then: Callable[[Any], Answer] | None,
        again: Callable[[OSError], bool] = lambda _: False,
    ) -> None:
        """``call`` is answered with what ``worker`` gives back, through ``then`` where given; with its failure only if
        ``again``, which gets that, hasn't begun it once more."""
        fd = worker.channel.fileno()
        self._pending[fd] = _Pending(call, worker, then, again)
        self.supervisor.workers.busy[fd] = worker
        self.supervisor.watch(fd, lambda _: self._done(fd))

    def patience(self) -> float:
        """How long the loop may sleep, in seconds (-1: as long as it likes)."""
        return _INTERVAL if self._pending else -1

    def look(self) -> None:
        """Calls whose caller has died or has a signal to handle are given up."""
        if not self._pending or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _INTERVAL
        for fd, pending in list(self._pending.items()):
            gone = not self.supervisor.listener.valid(pending.call.notification.id)
            if gone or signalled(pending.call.tid):
                self._forget(fd)
                self.supervisor.workers.drop(pending.worker)
                self.supervisor.reply(pending.call, _ERESTARTSYS)

    def _forget(self, fd: int) -> None:
        self.supervisor.unwatch(fd)
        del self._pending[fd], self.supervisor.workers.busy[fd]

    def _done(self, fd: int) -> None:
        pending = self._pending[fd]
        self._forget(fd)
        try:
            answer = self._answer(pending)
        except OSError as failure:
            answer = -(failure.errno or 1)
        if not isinstance(answer, Later):
            self.supervisor.reply(pending.call, answer)

    def _answer(self, pending: _Pending) -> Answer:
        """What the call is answered with; raises its OSError."""
        workers = self.supervisor.workers
        try:
            result = pending.worker.receive()
        except EOFError as reason:
            process = pending.call.process
            self.supervisor.warn_once(process, f"can't be acted for ({reason}): its call is refused")
            workers.drop(pending.worker)
            return -1
        except OSError as failure:
            workers.give_back(pending.worker)
            if pending.again(failure):
                return LATER
            raise
        try:
            return result if pending.then is None else pending.then(result)
        finally:
            workers.give_back(pending.worker)
