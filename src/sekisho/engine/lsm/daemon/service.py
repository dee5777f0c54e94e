"""The daemon: events come in, policy and records go out, and whoever asks is answered."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any, Final

from sekisho.engine.judge import Nobody
from sekisho.engine.keeping import Keeper
from sekisho.engine.lsm.daemon import guardian
from sekisho.engine.lsm.daemon.authority import SystemAuthority
from sekisho.engine.lsm.daemon.beyond import Beyond
from sekisho.engine.lsm.daemon.control import Listener
from sekisho.engine.lsm.daemon.learner import Learner
from sekisho.engine.lsm.daemon.questions import Questions
from sekisho.engine.lsm.daemon.status import describe
from sekisho.engine.lsm.daemon.stopped import let_all_go
from sekisho.engine.lsm.daemon.system import System
from sekisho.engine.lsm.daemon.trial import Trial
from sekisho.engine.lsm.kernel.ring import Ring
from sekisho.engine.records import RecordQueue
from sekisho.errors import SekishoError, UserError
from sekisho.interface import sockets
from sekisho.interface.server import ControlServer
from sekisho.policy.model import Domain
from sekisho.store.directory import PolicyDirectory

_HEARTBEAT: Final = 1.0
_BATCH: Final = 64
_TURN: Final = 1.0
"""For how many seconds events are dealt with before anything else is looked at."""
_MOMENT: Final = 0.05
"""For how long whoever asks waits for events to be dealt with."""
_SHARE: Final = 5
"""Publishing what is learned takes about one part in so many of the time, however much that is."""
_COLLECT: Final = 1.0
_RETRY: Final = 5.0
_LAST_ROUNDS: Final = 10
_LAST: Final = 60.0
"""For how many seconds at most the daemon goes on learning after it was told to end: systemd waits for ninety."""


class Service:
    """One daemon, from its start to its end."""

    def __init__(self, directory: PolicyDirectory, system: System, say: Callable[[str], None]) -> None:
        self.directory = directory
        self.system = system
        self.policy = system.policy
        self._said: set[str] = set()
        self._tell = say
        self.keeper = Keeper(directory, self.policy, RecordQueue(), self.say)
        self._changed: dict[Domain, None] = {}
        self.questions = Questions(system.loaded.maps["questions"], system.state)
        self.questions.quota = lambda: self.keeper.statistics.query_memory.quota
        self._watched: dict[int, Callable[[int], None]] = {}
        self._poll = select.epoll()
        self.learner = Learner(
            self.policy,
            self.keeper,
            self.keeper.judge(Nobody()),
            system.publisher.domains,
            lambda domain: self._changed.__setitem__(domain, None),
            self.questions,
        )
        self.trial = Trial(self.policy)
        self.alive: Callable[[], None] = lambda: None
        """Called whenever the daemon has come round to it."""
        self.beyond = Beyond(self.policy, directory.path, self.say)
        self.questions.penalty = self.beyond.penalty
        self.since = time.time()
        self._next_publishing = self._next_collecting = 0.0
        self._running = True

    def say(self, text: str) -> None:
        """``text`` is told, once."""
        if text not in self._said:
            self._said.add(text)
            self._tell(text)

    def start(self) -> None:
        """The engine is in force. Raises NotSupported, UserError."""
        publisher = self.system.publisher
        for number in (*publisher.books.made_by_kernel(), *publisher.domains.numbers()):
            # One that policy had, and has no more, has no creator.
            if publisher.domains.record(number).creator:
                self.learner.adopt(number)
        self.system.start()
        self.beyond.follow(active=bool(self.system.state.active))
        self.learner.ignored = self.system.own
        self.keeper.updated(by_hand=True)
        self.beat()

    def serve(self) -> None:
        """Returns when the daemon has been told to end; unless it was ``stop``, all stays in force."""
        self._guard()
        listener = Listener(self.answer)
        ring = Ring(self.system.loaded.maps["events"])
        wake = self._signals()
        self._watch(wake, lambda _: self._signalled(os.read(wake, 64)))
        self._watch(listener.fileno(), lambda _: listener.serve())
        self._poll.register(ring.fileno(), select.EPOLLIN)
        server = self._open()
        try:
            while self._running:
                self._attend(self._patience(ring))
                self.turn(ring)
            self._take_the_last(ring)
        finally:
            if server is not None:
                server.close()
            self._poll.close()
            ring.close()
            listener.close()
            self.end()

    def _attend(self, patience: float = 0) -> None:
        """Whoever wants something is answered, who comes within ``patience`` seconds included, as the first does."""
        for fd, events in self._poll.poll(patience):
            if fd in self._watched:
                self._watched[fd](events)

    def _take_the_last(self, ring: Ring) -> None:
        """What was told until now is learned, for the system may be about to end, if it doesn't take too long."""
        until = time.monotonic() + _LAST
        while (self.system.leftover or ring.waiting) and time.monotonic() < until:
            self.turn(ring)

    def _watch(self, fd: int, handler: Callable[[int], None], events: int = select.EPOLLIN) -> None:
        self._poll.register(fd, events)
        self._watched[fd] = handler

    def _unwatch(self, fd: int) -> None:
        self._poll.unregister(fd)
        del self._watched[fd]

    def _open(self) -> ControlServer | None:
        """The interface files are served, as those of any tree are; without them the engine goes on."""
        path = sockets.path_for(self.directory.path, os.getpid())
        try:
            return ControlServer(SystemAuthority(self), path, self._watch, self._unwatch, self.say)
        except OSError as error:
            self.say(f"{path}: {error.strerror}: nobody can be asked, and ps and mode show nothing")
            return None

    def _guard(self) -> None:
        """However this process ends, nobody goes on waiting for its answer."""
        table = self.system.loaded.maps["questions"]

        def last() -> None:
            self.system.state.observers = self.system.state.daemon = 0
            let_all_go(table)

        self.system.guarded_by(guardian.watch(os.getpid(), last, [table.fileno()]))

    def turn(self, ring: Ring) -> None:
        """What has come in is dealt with, what is due is done; however much that is, who asks doesn't wait for it."""
        now = time.monotonic()
        until = now + _TURN
        while now < until and (batch := self.system.earlier(_BATCH) or ring.drain(_BATCH)):
            for raw in batch:
                self.learner.take(raw)
                if time.monotonic() - now > _MOMENT:
                    self._attend()
                    now = time.monotonic()
            now = time.monotonic()
        if self.trial.look():
            self.say("nobody has confirmed that enforcing everything works: domains are again as they were")
            self.publish()
        if self._changed and now >= self._next_publishing:
            self._publish_learned()
        if self.system.publisher.wasteful and now >= self._next_collecting:
            self.system.publisher.collect()
            self._next_collecting = time.monotonic() + _COLLECT
        if self.trial.deadline is None:  # what is on trial isn't saved
            self.keeper.look()
        self.questions.look()
        self.beat()

    def _publish_learned(self) -> None:
        """What was learned holds; where the kernel can't take it, that is told and tried again."""
        changed = list(self._changed)
        try:
            self.publish(changed)
        except (OSError, MemoryError, SekishoError) as error:
            self.say(f"what was learned doesn't hold yet: {error}")
            self._changed |= dict.fromkeys(changed)
            self._next_publishing = time.monotonic() + _RETRY

    def publish(self, domains: list[Domain] | None = None) -> int:
        """What ``domains`` (None: all) have become holds; how many bindings are others."""
        begin = time.monotonic()
        if domains is None:
            self._changed.clear()
        for domain in domains or ():
            self._changed.pop(domain, None)
        present = None if domains is None else [each for each in domains if not each.deleted]
        changed = self.system.publisher.publish(self.policy, present)
        for what, reason in self.system.publisher.trouble.items():
            self.say(f"{what}: {reason}")
        if domains is None:
            self.beyond.follow(active=bool(self.system.state.active))
        taken = time.monotonic() - begin
        self._next_publishing = begin + (1 + _SHARE) * taken
        return changed

    def beat(self) -> None:
        """The kernel side sees that the daemon is there, and so does whoever watches over it."""
        self.alive()
        self.system.state.heartbeat = max(1, int(time.monotonic()))

    def _patience(self, ring: Ring) -> float:
        if ring.waiting or self.system.leftover:
            return 0
        waits = [_HEARTBEAT]
        if self._changed:
            waits.append(max(0.0, self._next_publishing - time.monotonic()))
        waits += [each for each in (self.keeper.patience(), self.questions.patience()) if each >= 0]
        return min(waits)

    def _signals(self) -> int:
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        return read

    def _signalled(self, numbers: bytes) -> None:
        if signal.SIGHUP in numbers:
            try:
                self.reload()
            except (OSError, SekishoError) as error:
                self.say(f"policy is as it was: {error}")
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._running = False

    def reload(self) -> int:
        """Policy is what is on disk, with what was learned since; how many bindings have changed."""
        if self.trial.deadline is not None:
            raise UserError("a trial is going on", "confirm it, or wait for its end")
        self.directory.sync(self.policy, self.keeper.statistics)
        self.learner.judge.rewrite = self.directory.rewrite_rules()
        self.system.guard()
        return self.publish()

    def answer(self, request: dict[str, Any], pid: int) -> dict[str, Any]:
        """What is done and said on a request of the command line, which process ``pid`` made. Raises UserError."""
        word = request["do"]
        if word == "status":
            return describe(self)
        if not self.system.trusts(pid):
            raise UserError("its domain may not do that", "let manager.conf name the domain, or the program")
        if word == "reload":
            return {"changed": self.reload()}
        if word == "enforce":
            count = self.trial.begin(float(request["seconds"]))
            self.publish()
            return {"domains": count}
        if word == "confirm":
            confirmed = self.trial.confirm()
            self.keeper.updated(by_hand=True)
            return {"confirmed": confirmed}
        return self._switch(word)

    def _switch(self, word: str) -> dict[str, Any]:
        """On, off, or gone."""
        if word in ("panic", "resume"):
            self.system.panic() if word == "panic" else self.system.resume()
            self.beyond.follow(active=bool(self.system.state.active))
            return {"active": word == "resume"}
        if word == "stop":
            self.system.stop()
            self.beyond.follow(active=bool(self.system.state.active))
            self._running = False
            return {"stopped": True}
        return {"error": f"no such request: {word}"}

    def end(self) -> None:
        """Everything is saved; unless it was stopped, what holds goes on holding."""
        if self.trial.deadline is not None:
            self.trial.now = lambda: float("inf")
            self.trial.look()
            self.publish()
        self.system.state.observers = self.system.state.heartbeat = 0
        let_all_go(self.system.loaded.maps["questions"], _LAST_ROUNDS)
        self.keeper.close()
