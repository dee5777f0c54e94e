"""Actions done in callers' places: here where the rights are ours, else in a worker that took on the caller's.

What Landlock can hold to policy is done in a worker in any case, inside the fence of the caller's domain."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sekisho.engine.supervisor.acting import actions
from sekisho.engine.supervisor.acting.fence import Fence
from sekisho.engine.supervisor.acting.identity import Identity
from sekisho.engine.supervisor.acting.workers import Worker
from sekisho.engine.supervisor.fences import Fences, Kind
from sekisho.engine.supervisor.plan import LATER, Answer
from sekisho.errors import explain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.call import Call
    from sekisho.engine.supervisor.supervisor import Supervisor


_MOVING: Final = frozenset({"rename", "link"})
_WITHHELD: Final = (errno.EACCES, errno.EXDEV)
"""What Landlock answers."""


class Performer:
    """Performs for the callers of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.fences = Fences(supervisor.judge.policy, supervisor.workers.forget_fence)

    def run(self, call: Call, name: str, arguments: tuple[Any, ...], *, fenced: bool = False) -> Any:
        """The action's result with the caller's rights; raises its OSError.

        Where its fence stands on what isn't there any more, it is tried again inside another.
        """
        who = call.identity()
        fence = self._fence(call, name) if fenced else None
        try:
            return self._run(call, who, name, arguments, fence)
        except OSError as failure:
            if fence is None or failure.errno not in _WITHHELD:
                raise
            renewed = self.fences.renewed(call.domain, _kind(name))
            if renewed is None:
                raise
        return self._run(call, who, name, arguments, renewed)

    def _fence(self, call: Call, name: str) -> Fence | None:
        if call.identity().mount_namespace != self._supervisor.own.mount_namespace:
            # Names in policy don't lead there where they lead here.
            return None
        try:
            return self.fences.of(call.domain, _kind(name))
        except OSError as failure:
            self._tell(call, failure)
            raise

    def _run(self, call: Call, who: Identity, name: str, arguments: tuple[Any, ...], fence: Fence | None) -> Any:
        if fence is None and who is self._supervisor.own:
            return actions.ACTIONS[name](*arguments)
        worker = self._worker(call, who, fence)
        try:
            result = worker.call(name, arguments)
        except EOFError as reason:
            raise self._lost(call, worker, reason) from None
        except OSError:
            self._supervisor.workers.give_back(worker)
            raise
        self._supervisor.workers.give_back(worker)
        return result

    def start(
        self,
        call: Call,
        name: str,
        arguments: tuple[Any, ...],
        then: Callable[[Any], Answer] | None,
        *,
        fenced: bool = False,
    ) -> Answer:
        """The action begins in a worker; the call is answered when it ends."""
        fence = self._fence(call, name) if fenced else None
        self._begin(call, name, arguments, then, fence)
        return LATER

    def _begin(
        self,
        call: Call,
        name: str,
        arguments: tuple[Any, ...],
        then: Callable[[Any], Answer] | None,
        fence: Fence | None,
        *,
        again: bool = True,
    ) -> None:
        worker = self._worker(call, call.identity(), fence)
        try:
            worker.send(name, arguments)
        except (OSError, EOFError) as failure:
            raise self._lost(call, worker, failure) from None

        def renew(failure: OSError) -> bool:
            if fence is None or not again or failure.errno not in _WITHHELD:
                return False
            renewed = self.fences.renewed(call.domain, _kind(name))
            if renewed is not None:
                self._begin(call, name, arguments, then, renewed, again=False)
            return renewed is not None

        self._supervisor.waiting.add(call, worker, then, renew)

    def _lost(self, call: Call, worker: Worker, reason: Exception) -> OSError:
        self._supervisor.workers.drop(worker)
        self._tell(call, reason)
        return OSError(errno.EPERM, "worker died")

    def _tell(self, call: Call, reason: Exception) -> None:
        why = explain(reason) if isinstance(reason, OSError) else str(reason)
        so = "its call is refused" if call.enforcing else "what it asked for is neither learned nor recorded"
        self._supervisor.warn_once(call.process, f"can't be acted for ({why}): {so}")

    def _worker(self, call: Call, who: Identity, fence: Fence | None) -> Worker:
        root = os.open(f"/proc/{call.tid}/root", os.O_PATH | os.O_CLOEXEC)
        try:
            worker = self._supervisor.workers.take(who, call.tid, root, fence)
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


def _kind(name: str) -> Kind:
    return Kind.MOVE if name in _MOVING else Kind.USE
