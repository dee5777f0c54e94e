"""Requests that wait for the administrator: what the kernel side asks, and what is answered (spec g.7).

The kernel side has a question for each task that it has stopped; here those that ask for the same are one. An answer
is written down for the kernel side first, and then the task goes on. Where nobody is there to be asked, a task waits
for the time of its profile's ``enforcing_penalty``, and the answer is no.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from sekisho.audit.record import make_record
from sekisho.decide.decision import Decision
from sekisho.decide.request import Request
from sekisho.engine.asking import INTERVAL, PATIENCE, Asking, Key, key_of, wait
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon import stopped
from sekisho.policy.model import Domain, Mode

MOST_OF_ONE: Final = layout.QUESTIONS // 5
"""Tasks of one domain that wait at a time: its flood leaves others room."""
_SWEEP: Final = 2.0
_TENTH: Final = 0.1
_KEPT: Final = 2.0
"""So long what the kernel side has been answered is there for it to look at."""
_REFUSED: Final = Decision(False, Mode.ENFORCING, None, None, False, True, False)


class Table(Protocol):
    """The kernel side's questions by number."""

    def lookup(self, key: int, /) -> bytes | None:
        """The question, or None."""

    def update(self, key: int, value: bytes, condition: int = 0, /) -> None:
        """The question is that. Raises OSError."""

    def delete(self, key: int, /) -> bool:
        """It is gone; whether it was there."""

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Every number with its question."""


@dataclass(slots=True)
class _Task:
    """A stopped task, by the number that the kernel side has given its question."""

    number: int
    process: int
    thread: int
    key: Key
    answered: float = 0.0
    retries: int = 0


class Questions(Asking[_Task]):
    """The questions of one daemon, for which tasks wait by the number of the kernel side's question."""

    def __init__(self, table: Table, state: layout.State, let_go: Callable[[int, int], bool] = stopped.let_go) -> None:
        super().__init__()
        self._table = table
        self._state = state
        self._let_go = let_go
        self.penalty: Callable[[Domain], int] = lambda domain: 0
        """For how many tenths of a second whoever is refused something in the domain sleeps."""
        self._sleeping: list[tuple[float, int, _Task]] = []
        self._answered: dict[int, _Task] = {}
        self._strange: set[int] = set()
        self._next_sweep = 0.0
        self._retried: dict[tuple[int, Key], tuple[int, float]] = {}

    def asked(self, event: layout.Event, domain: Domain, request: Request) -> None:
        """The kernel side has stopped the task that ``event`` tells of."""
        key = key_of(domain, request)
        task = _Task(event.question, event.pid, event.thread, key)
        task.retries = self._retried.pop((event.thread, key), (0, 0.0))[0]
        if not self.observers:
            self._punish(task, domain)
            return
        known = self._by_key.get(key)
        if known is None:
            if self._is_full(domain):
                self._answer(task, layout.ANSWER_REFUSE)
                return
            known = self._begin(key, make_record(time.time(), domain, request, _REFUSED), task.retries)
        elif self._waiting_of(domain) >= MOST_OF_ONE:
            self._answer(task, layout.ANSWER_REFUSE)
            return
        wait(known, task.number, task)
        self.wake()

    def _punish(self, task: _Task, domain: Domain) -> None:
        """The task is refused what it asks for when its penalty is over; too many of a domain aren't kept waiting."""
        tenths = self.penalty(domain)
        if tenths and sum(each.key[0] is domain for _, _, each in self._sleeping) < MOST_OF_ONE:
            heapq.heappush(self._sleeping, (time.monotonic() + tenths * _TENTH, task.number, task))
        else:
            self._answer(task, layout.ANSWER_REFUSE)

    def stray(self, event: layout.Event) -> None:
        """A question that nothing can be made of is answered with no."""
        self._answer(_Task(event.question, event.pid, event.thread, _NO_KEY), layout.ANSWER_REFUSE)

    def _is_full(self, domain: Domain) -> bool:
        return self._uses_up_memory() or self._waiting_of(domain) >= MOST_OF_ONE

    def _waiting_of(self, domain: Domain) -> int:
        return sum(len(asked.waiting) for asked in self._of(domain))

    def verdict(self, domain: Domain, request: Request) -> bool | None:
        """The kernel side knows; here nothing is known of single calls."""
        return None

    def ask(self, domain: Domain, request: Request, decision: Decision) -> None:
        """Only the kernel side asks."""

    def waiting(self, process: int) -> int | None:
        """The serial of the question that the process waits for."""
        for serial, asked in self._asked.items():
            if any(task.process == process for task in asked.waiting.values()):
                return serial
        return None

    def observe(self) -> None:
        """One more reader is there to be asked, and the kernel side knows."""
        super().observe()
        self._state.observers = self.observers

    def leave(self) -> None:
        """A reader has gone; with the last one the kernel side asks no more, and everything that waits is refused."""
        self._state.observers = self.observers - 1
        super().leave()

    def answer(self, serial: int, answer: int) -> None:
        """1 lets the requests that wait pass, 3 has policy asked again, anything else refuses them."""
        asked = self._forget(serial)
        if asked is None:
            return
        if answer not in (layout.ANSWER_ALLOW, layout.ANSWER_RETRY):
            answer = layout.ANSWER_REFUSE
        for task in asked.waiting.values():
            if answer == layout.ANSWER_RETRY:
                self._retried[task.thread, task.key] = task.retries + 1, time.monotonic()
            self._answer(task, answer)

    def _answer(self, task: _Task, answer: int) -> None:
        """The verdict stands where the kernel side looks, and then the task goes on."""
        found = self._question(task)
        if found is None:
            return
        found.verdict = answer
        try:
            self._table.update(task.number, bytes(found), _EXISTING)
        except OSError:
            return  # it has been given up meanwhile
        task.answered = time.monotonic()
        self._answered[task.number] = task
        self._let_go(task.process, task.thread)

    def _question(self, task: _Task) -> layout.Question | None:
        raw = self._table.lookup(task.number)
        return layout.Question.from_buffer_copy(raw) if raw is not None else None

    def patience(self) -> float:
        """How long the loop may sleep, in seconds (-1: as long as it likes)."""
        if self._asked or self._answered:
            return INTERVAL
        return max(0.0, self._sleeping[0][0] - time.monotonic()) if self._sleeping else -1

    def look(self) -> None:
        """Questions nobody answers in time are refused; who has ended, or asks for something else, waits no more."""
        now = time.monotonic()
        while self._sleeping and self._sleeping[0][0] <= now:
            self._answer(heapq.heappop(self._sleeping)[2], layout.ANSWER_REFUSE)
        for serial, asked in list(self._asked.items()):
            if now > asked.deadline:
                self.answer(serial, layout.ANSWER_REFUSE)
                continue
            for number, task in list(asked.waiting.items()):
                if self._question(task) is None or not stopped.is_there(task.process, task.thread):
                    del asked.waiting[number]
                    self._table.delete(number)
            asked.question.processes = len(asked.waiting)
            if not asked.waiting:
                self._forget(serial)
        self._look_after_answered(now)
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP
            self._sweep()
        if self._retried:
            self._retried = {key: each for key, each in self._retried.items() if now - each[1] < PATIENCE}

    def _sweep(self) -> None:
        """What the kernel side has asked, and nothing was heard of, is refused: no answer would ever come."""
        known = self._answered.keys() | {number for asked in self._asked.values() for number in asked.waiting}
        known |= {number for _, number, _ in self._sleeping}
        strange = set()
        for key, value in list(self._table.items()):
            number = int.from_bytes(key, "little")
            question = layout.Question.from_buffer_copy(value)
            if number in self._strange - known:
                self._answer(_Task(number, question.process, question.thread, _NO_KEY), layout.ANSWER_REFUSE)
            elif number not in known:
                strange.add(number)
        self._strange = strange

    def _look_after_answered(self, now: float) -> None:
        """A task that was stopped again while it was answered goes on, too."""
        for number, task in list(self._answered.items()):
            found = self._question(task)
            if found is not None and not found.used:
                self._let_go(task.process, task.thread)
                if now - task.answered < PATIENCE and stopped.is_there(task.process, task.thread):
                    continue
            elif found is not None and now - task.answered < _KEPT:
                continue  # what else the same call asks for finds there what has been allowed of it
            del self._answered[number]
            if found is not None:
                self._table.delete(number)


_EXISTING: Final = 2
_NO_KEY: Final[Key] = (Domain("<kernel>"), "", (), b"")
