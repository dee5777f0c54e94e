"""Calls that wait for the administrator: each question asked once, nobody held up by another's (spec g.7)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sekisho.audit.record import Record, make_record
from sekisho.decide.decision import Decision
from sekisho.decide.request import Request
from sekisho.engine.supervisor.procfs import signalled
from sekisho.engine.supervisor.records import weight
from sekisho.interface.authority import Question
from sekisho.policy.model import Domain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.notify import Notification
    from sekisho.engine.supervisor.supervisor import Supervisor

PATIENCE: Final = 10.0
"""Seconds without a sign of life from the administrator after which a question is answered with no."""
MOST: Final = 1000
"""Questions that can wait at a time; what would be asked beyond is refused."""
_INTERVAL: Final = 0.05
_PERM: Final = -1
_ALLOW, _RETRY = 1, 3

Key = tuple[Domain, str, tuple[str | int, ...]]
"""Who asks, and for what: the same key is the same question."""


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
            quota = self.quota()
            if len(self._asked) >= MOST or (quota and self.memory >= quota):
                return
            asked = self._begin(key, call, make_record(time.time(), domain, request, decision))
        asked.calls[call.id] = call
        asked.question.processes = len(asked.calls)
        raise Held(asked.question)

    def _begin(self, key: Key, call: Notification, record: Record) -> _Asked:
        self._serial += 1
        history = self._history.get(call.id)
        retry = history.retries.get(key, 0) if history is not None else 0
        asked = _Asked(Question(self._serial, record, key[0], retry), key, time.monotonic() + PATIENCE)
        self._asked[self._serial] = self._by_key[key] = asked
        self.wake()
        return asked

    def waiting(self, tid: int) -> int | None:
        """The serial of the question that task ``tid`` waits for."""
        for serial, asked in self._asked.items():
            if any(call.tid == tid for call in asked.calls.values()):
                return serial
        return None

    def pending(self) -> list[Question]:
        """Every question that waits now, oldest first."""
        return [asked.question for asked in self._asked.values()]

    @property
    def memory(self) -> int:
        """Bytes that what waits takes, about."""
        return sum(weight(asked.question.record) for asked in self._asked.values())

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
        asked = self._asked.pop(serial, None)
        if asked is None:
            return
        del self._by_key[asked.key]
        for call in asked.calls.values():
            history = self._history.setdefault(call.id, _History())
            if answer == _RETRY:
                history.retries[asked.key] = asked.question.retry + 1
            else:
                history.verdicts[asked.key] = answer == _ALLOW
            self._again(call)

    def _refuse(self, call: Notification) -> None:
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
        now = time.monotonic()
        if not self._asked or now < self._next:
            return
        self._next = now + _INTERVAL
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
                del self._asked[serial], self._by_key[asked.key]

    def _supervised(self, ident: int) -> bool:
        return self._supervisor is not None and self._supervisor.listener.valid(ident)


def _key(domain: Domain, request: Request) -> Key:
    return (domain, request.operation.keyword, request.arguments)
