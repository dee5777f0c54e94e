"""Actions done in callers' places: here where the rights are ours, else in a worker that took on the caller's."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sekisho.engine.supervisor.acting import actions
from sekisho.engine.supervisor.acting.identity import Identity
from sekisho.engine.supervisor.acting.workers import Worker
from sekisho.engine.supervisor.plan import LATER, Answer
from sekisho.errors import explain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call
    from sekisho.engine.supervisor.supervisor import Supervisor


class Performer:
    """Performs for the callers of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def run(self, call: Call, name: str, arguments: tuple[Any, ...]) -> Any:
        """The action's result with the caller's rights; raises its OSError."""
        who = call.identity()
        if who is self._supervisor.own:
            return actions.ACTIONS[name](*arguments)
        worker = self._worker(call, who)
        try:
            result = worker.call(name, arguments)
        except EOFError as reason:
            raise self._lost(call, worker, reason) from None
        except OSError:
            self._supervisor.workers.give_back(worker)
            raise
        self._supervisor.workers.give_back(worker)
        return result

    def start(self, call: Call, name: str, arguments: tuple[Any, ...], then: Callable[[Any], Answer] | None) -> Answer:
        """The action begins in a worker; the call is answered when it ends."""
        worker = self._worker(call, call.identity())
        try:
            worker.send(name, arguments)
        except (OSError, EOFError) as failure:
            raise self._lost(call, worker, failure) from None
        self._supervisor.waiting.add(call, worker, then)
        return LATER

    def _lost(self, call: Call, worker: Worker, reason: Exception) -> OSError:
        self._supervisor.workers.drop(worker)
        self._tell(call, reason)
        return OSError(errno.EPERM, "worker died")

    def _tell(self, call: Call, reason: Exception) -> None:
        why = explain(reason) if isinstance(reason, OSError) else str(reason)
        so = "its call is refused" if call.enforcing else "what it asked for is neither learned nor recorded"
        self._supervisor.warn_once(call.process, f"can't be acted for ({why}): {so}")

    def _worker(self, call: Call, who: Identity) -> Worker:
        root = os.open(f"/proc/{call.tid}/root", os.O_PATH | os.O_CLOEXEC)
        try:
            worker = self._supervisor.workers.take(who, call.tid, root)
        except OSError as failure:
            self._tell(call, failure)
            raise
        finally:
            os.close(root)
        guard = self._supervisor.guard
        if worker.pid not in guard.processes:
            guard.forget_workers(self._supervisor.workers.pids)
            guard.add_worker(worker.pid)
        return worker
