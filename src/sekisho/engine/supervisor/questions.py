"""Calls that wait for the administrator: each question asked once, nobody held up by another's (spec g.7)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sekisho.audit.record import Record, make_record
from sekisho.decide.decision import Decision
from sekisho.decide.request import Facts, Request
from sekisho.engine.records import weight
from sekisho.engine.supervisor.system.procfs import signalled
from sekisho.interface.authority import Question
from sekisho.policy.model import Domain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.system.notify import Notification

PATIENCE: Final = 10.0
"""Seconds without a sign of life from the administrator after which a question is answered with no."""
MOST: Final = 1000
"""Questions that can wait at a time; what would be asked beyond is refused."""
MOST_OF_ONE: Final = 200
"""Those of one domain among them, so that a flood of its questions leaves others theirs."""
_INTERVAL: Final = 0.05
_SHARE: Final = 10
"""However many calls wait, looking after them takes no more than this part of the time."""
_PERM: Final = -1
_ALLOW, _RETRY = 1, 3

Key = tuple[Domain, str, tuple[str | int, ...], bytes]
"""Who asks, for what, and with what else the administrator is shown: the same key is the same question."""


class Held(Exception):
    """The request being judged has been put to the administrator; the call begins anew when the answer is there."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"question {question.serial}")
        self.question = question


@dataclass(slots=True)
class _Asked:
    """One question, and the calls that wait for it."""

    question: Question
    key: Key
    deadline: float
    memory: int
    calls: dict[int, Notification] = field(default_factory=dict)


@dataclass(slots=True)
class _History:
    """What has been answered for one call so far."""

    verdicts: dict[Key, bool] = field(default_factory=dict)
    retries: dict[Key, int] = field(default_factory=dict)


class Questions:
    """The questions of one supervisor. Without an observer nothing is ever asked."""

    def __init__(self) -> None:
        self.current: Notification | None = None
        """The call being judged; None for what can't be held."""
        self.observers = 0
        self.wake: Callable[[], None] = lambda: None
        """Called when a question has come in."""
        self.quota: Callable[[], int] = lambda: 0
        """How many bytes questions may take (0: any number); what would be asked beyond is refused."""
        self._supervisor: Supervisor | None = None
        self._serial = 0
        self.memory = 0
        """Bytes that what waits takes, about."""
        self._flooding: set[Domain] = set()
        self._serials: dict[int, int] = {}
        self._asked: dict[int, _Asked] = {}
        self._by_key: dict[Key, _Asked] = {}
        self._history: dict[int, _History] = {}
        self._next = 0.0

    def attach(self, supervisor: Supervisor) -> None:
        """Answers go to the calls of ``supervisor``."""
        self._supervisor = supervisor

    def verdict(self, domain: Domain, request: Request) -> bool | None:
        """What the administrator has said of this request of the current call; None where nothing was said."""
        if not self._history or self.current is None:
            return None
        history = self._history.get(self.current.id)
        return history.verdicts.get(_key(domain, request)) if history is not None else None

    def ask(self, domain: Domain, request: Request, decision: Decision) -> None:
        """Raises Held where somebody is there to be asked; otherwise nothing has happened."""
        call = self.current
        if not self.observers or call is None:
            return
        key = _key(domain, request)
        asked = self._by_key.get(key)
        if asked is None:
            if self._is_full(domain):
                return
            asked = self._begin(key, call, make_record(time.time(), domain, request, decision))
        asked.calls[call.id] = call
        asked.question.processes = len(asked.calls)
        self._serials[call.tid] = asked.question.serial
        raise Held(asked.question)

    def _is_full(self, domain: Domain) -> bool:
        """Whether nothing more can be asked for ``domain``; that one floods the administrator is told."""
        quota = self.quota()
        if len(self._asked) >= MOST or (quota and self.memory >= quota):
            return True
        if sum(asked.key[0] is domain for asked in self._asked.values()) < MOST_OF_ONE:
            return False
        if domain not in self._flooding and self._supervisor is not None:
            self._flooding.add(domain)
            self._supervisor.warn(f"{MOST_OF_ONE} questions of {domain.name} wait: what it asks beyond is refused")
        return True

    def _begin(self, key: Key, call: Notification, record: Record) -> _Asked:
        self._serial += 1
        history = self._history.get(call.id)
        retry = history.retries.get(key, 0) if history is not None else 0
        question = Question(self._serial, record, key[0], retry)
        asked = _Asked(question, key, time.monotonic() + PATIENCE, weight(record))
        self.memory += asked.memory
        self._asked[self._serial] = self._by_key[key] = asked
        self.wake()
        return asked

    def waiting(self, tid: int) -> int | None:
        """The serial of the question that task ``tid`` waits for."""
        return self._serials.get(tid)

    def pending(self) -> list[Question]:
        """Every question that waits now, oldest first."""
        return [asked.question for asked in self._asked.values()]

    def observe(self) -> None:
        """One more reader is there to be asked."""
        self.observers += 1

    def leave(self) -> None:
        """A reader has gone; with the last one everything that waits is refused."""
        self.observers -= 1
        if not self.observers:
            for serial in list(self._asked):
                self.answer(serial, 0)

    def keep_alive(self) -> None:
        """Every time-out begins anew."""
        deadline = time.monotonic() + PATIENCE
        for asked in self._asked.values():
            asked.deadline = deadline

    def answer(self, serial: int, answer: int) -> None:
        """1 lets the calls that wait go on, 3 has policy asked again, anything else refuses the request.

        What a refusal comes to is the call's own affair: an accept(2) turns the peer away and waits for the next.
        """
        asked = self._forget(serial)
        if asked is None:
            return
        for call in asked.calls.values():
            self._serials.pop(call.tid, None)
            history = self._history.setdefault(call.id, _History())
            if answer == _RETRY:
                history.retries[asked.key] = asked.question.retry + 1
            else:
                history.verdicts[asked.key] = answer == _ALLOW
            self._again(call)

    def _forget(self, serial: int) -> _Asked | None:
        asked = self._asked.pop(serial, None)
        if asked is not None:
            del self._by_key[asked.key]
            self.memory -= asked.memory
        return asked

    def _refuse(self, call: Notification) -> None:
        self._serials.pop(call.tid, None)
        self._history.pop(call.id, None)
        if self._supervisor is not None:
            self._supervisor.listener.finish(call.id, _PERM)

    def _again(self, call: Notification) -> None:
        """The call is looked at from its beginning: what it means may have changed while it waited."""
        supervisor = self._supervisor
        if supervisor is None or not supervisor.listener.valid(call.id):
            self._history.pop(call.id, None)
            return
        supervisor.take(call)
        if not any(call.id in asked.calls for asked in self._asked.values()):
            self._history.pop(call.id, None)

    def patience(self) -> float:
        """How long the loop may sleep, in seconds (-1: as long as it likes)."""
        return _INTERVAL if self._asked else -1

    def look(self) -> None:
        """Questions nobody answers in time are refused, and so is a call whose caller is gone or signalled."""
        if not self._asked or (now := time.monotonic()) < self._next:
            return
        for serial, asked in list(self._asked.items()):
            if now > asked.deadline:
                self.answer(serial, 0)
                continue
            for ident, call in list(asked.calls.items()):
                if not self._supervised(ident) or signalled(call.tid):
                    del asked.calls[ident]
                    self._refuse(call)
            asked.question.processes = len(asked.calls)
            if not asked.calls:
                self._forget(serial)
        done = time.monotonic()
        self._next = done + max(_INTERVAL, _SHARE * (done - now))

    def _supervised(self, ident: int) -> bool:
        return self._supervisor is not None and self._supervisor.listener.valid(ident)


def _key(domain: Domain, request: Request) -> Key:
    return (domain, request.operation.keyword, request.arguments, _shown(request.facts))


def _shown(facts: Facts) -> bytes:
    """What tells two requests for the same apart: who was asked about one shell command has not allowed another."""
    task = facts.task
    ids = (task.uid, task.gid, task.euid, task.egid, task.suid, task.sgid, task.fsuid, task.fsgid)
    everything = (ids, task.execute_handler, facts.execution, facts.symlink_target)
    return hashlib.sha256(repr(everything).encode()).digest()
