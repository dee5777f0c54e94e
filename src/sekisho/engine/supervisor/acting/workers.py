"""Processes that act in a caller's place where the supervisor can't: with other rights, or because it may block.

One worker has one identity and does one thing at a time; idle ones are kept. A worker holds
neither the listener nor any policy: it is handed pinned descriptors and gives back a result.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.engine.supervisor.acting import actions, identity, messages
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.acting.fence import Fence
from sekisho.engine.supervisor.acting.identity import Identity
from sekisho.engine.supervisor.acting.messages import Failure
from sekisho.engine.supervisor.system import libc
from sekisho.errors import explain

_LIMIT: Final = 1 << 20
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_KEPT_IDLE: Final = 32
_PATIENCE: Final = 10_000
"""Milliseconds."""

Done = Callable[[Any], None]


@dataclass(eq=False, slots=True)
class Worker:
    """One process, from the supervisor's side."""

    pid: int
    channel: socket.socket
    identity: Identity
    fence: Fence | None = None
    done: Done | None = None

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """The action's result; raises its OSError, or EOFError when the worker died or didn't answer in time.

        Only a file system that its caller serves itself can make such an action wait.
        """
        self.send(name, arguments)
        try:
            poll = select.poll()
            poll.register(self.channel, select.POLLIN)
            answered = poll.poll(_PATIENCE)
        except OSError as failure:
            raise EOFError(explain(failure)) from failure
        if not answered:
            raise EOFError("no answer")
        return self.receive()

    def send(self, name: str, arguments: tuple[Any, ...]) -> None:
        """The action has begun; raises EOFError when the worker died."""
        try:
            messages.send(self.channel, (name, arguments))
        except ConnectionError as failure:
            raise EOFError("it has ended") from failure

    def receive(self) -> Any:
        """The result of what was begun; raises its OSError, or EOFError when the worker died."""
        try:
            result = messages.receive(self.channel)
        except (OSError, LookupError, ValueError, SyntaxError, MemoryError) as failure:
            # It died with the request unread, or what it sent is lost: the next answer would be that to this question.
            raise EOFError(explain(failure)) from failure
        if isinstance(result, Failure):
            raise OSError(result.errno, os.strerror(result.errno))
        return result

    def kill(self) -> None:
        """The process is gone and nothing of it is left."""
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.channel.close()


@dataclass(slots=True)
class Workers:
    """The workers of one supervisor, whose rights are its ``own``."""

    own: Identity
    idle: dict[tuple[Identity, Fence | None], list[Worker]] = field(default_factory=dict)
    """Those that rested longest first."""
    busy: dict[int, Worker] = field(default_factory=dict)
    pids: set[int] = field(default_factory=set)

    def take(self, wanted: Identity, tid: int, root: int, fence: Fence | None = None) -> Worker:
        """An idle worker that acts as ``wanted`` inside ``fence``, started if there is none; OSError when that can't
        be had."""
        waiting = self.idle.get((wanted, fence))
        if waiting:
            return waiting.pop()
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (here, there):
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, option, _LIMIT)
        supervisor = os.getpid()
        pid = os.fork()
        if not pid:
            _worker_main(there, here, self, wanted, fence, tid, root, supervisor)
        there.close()
        worker = Worker(pid, here, wanted, fence)
        self.pids.add(pid)
        try:
            worker.receive()
        except (OSError, EOFError) as failure:
            self.drop(worker)
            raise failure if isinstance(failure, OSError) else OSError(1, "worker died") from None
        return worker

    def give_back(self, worker: Worker) -> None:
        """``worker`` may serve another call of its identity and fence."""
        worker.done = None
        if worker.fence is not None and not worker.fence.stands:
            self.drop(worker)
            return
        key = (worker.identity, worker.fence)
        resting = self.idle.pop(key, [])
        self.idle[key] = [*resting, worker]
        if sum(map(len, self.idle.values())) > _KEPT_IDLE:
            self._drop_longest_idle()

    def _drop_longest_idle(self) -> None:
        key, resting = next((key, resting) for key, resting in self.idle.items() if resting)
        self.drop(resting.pop(0))
        if not resting:
            del self.idle[key]

    def forget_fence(self, fence: Fence) -> None:
        """No idle worker is held to ``fence``; busy ones end with what they do."""
        for key in [key for key in self.idle if key[1] is fence]:
            for worker in self.idle.pop(key):
                self.drop(worker)

    def collected(self, pid: int) -> None:
        """Process ``pid`` has been waited for; if it was a worker it counts no longer."""
        self.pids.discard(pid)

    def drop(self, worker: Worker) -> None:
        """``worker`` is killed and forgotten."""
        self.pids.discard(worker.pid)
        worker.kill()

    def close(self) -> None:
        """No worker is left."""
        for worker in [*self.busy.values(), *(w for group in self.idle.values() for w in group)]:
            self.drop(worker)
        self.busy.clear()
        self.idle.clear()


def _worker_main(
    channel: socket.socket,
    other: socket.socket,
    workers: Workers,
    wanted: Identity,
    fence: Fence | None,
    tid: int,
    root: int,
    parent: int,
) -> None:
    """Never returns."""
    code = 1
    try:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        other.close()
        _close_all_but({0, 1, 2, channel.fileno(), root} | ({fence.ruleset} if fence is not None else set()))
        actions.enter_process()
        actions.filesystems().watched = False
        if os.getppid() != parent:
            return
        try:
            if wanted != workers.own:
                identity.enter(wanted, workers.own, tid, root)
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            libc.prctl(_PR_SET_DUMPABLE, 0)
            if fence is not None:
                fence.enter()
        except OSError as failure:
            messages.send(channel, Failure(failure.errno or 1))
            return
        messages.send(channel, None)
        _serve(channel)
        code = 0
    finally:
        os._exit(code)


def _close_all_but(kept: set[int]) -> None:
    """Nothing of the supervisor's is held open here: not its listener, nor what it holds for other calls (a peer would
    wait in vain for the end of a connection)."""
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in kept:
            with contextlib.suppress(OSError):
                os.close(fd)


def _serve(channel: socket.socket) -> None:
    while True:
        try:
            name, arguments = messages.receive(channel)
        except EOFError:
            return
        try:
            result = actions.ACTIONS[name](*arguments)
        except OSError as failure:
            result = Failure(failure.errno or 1)
        messages.send(channel, result)
        for value in (*_flat(arguments), *_flat(result)):
            if isinstance(value, Fd) and value >= 0:
                os.close(value)


def _flat(value: Any) -> list[Any]:
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in _flat(item)]
    return [value]
