"""The questions that wait for the administrator, as every engine keeps them: each asked once, for a time (spec g.7)."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from sekisho.audit.record import Record
from sekisho.decide.request import Facts, Request
from sekisho.engine.records import weight
from sekisho.interface.authority import Question
from sekisho.policy.model import Domain

PATIENCE: Final = 10.0
"""Seconds without a sign of life from the administrator after which a question is answered with no."""
INTERVAL: Final = 0.05
"""Seconds after which what waits is looked at again."""
REFUSE: Final = 2
"""What isn't allowed (1) nor to be asked again (3)."""

Key = tuple[Domain, str, tuple[str | int, ...], bytes]
"""Who asks, for what, and with what else the administrator is shown: the same key is the same question."""

WaiterT = TypeVar("WaiterT")


@dataclass(slots=True)
class Asked(Generic[WaiterT]):
    """One question, and who waits for it, by number."""

    question: Question
    key: Key
    deadline: float
    memory: int
    waiting: dict[int, WaiterT] = field(default_factory=dict)


class Asking(ABC, Generic[WaiterT]):
    """The questions of one engine. Without an observer nothing is ever asked."""

    def __init__(self) -> None:
        self.observers = 0
        self.wake: Callable[[], None] = lambda: None
        """Called when a question has come in."""
        self.quota: Callable[[], int] = lambda: 0
        """How many bytes questions may take (0: any number); what would be asked beyond is refused."""
        self.memory = 0
        """Bytes that what waits takes, about."""
        self._serial = 0
        self._asked: dict[int, Asked[WaiterT]] = {}
        self._by_key: dict[Key, Asked[WaiterT]] = {}

    @abstractmethod
    def answer(self, serial: int, answer: int) -> None:
        """1 lets what waits pass, 3 has policy asked again, anything else refuses it."""

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
                self.answer(serial, REFUSE)

    def keep_alive(self) -> None:
        """Every time-out begins anew."""
        deadline = time.monotonic() + PATIENCE
        for asked in self._asked.values():
            asked.deadline = deadline

    def _begin(self, key: Key, record: Record, retry: int) -> Asked[WaiterT]:
        """A new question, for which nobody waits yet."""
        self._serial += 1
        begun: Asked[WaiterT] = Asked(
            Question(self._serial, record, key[0], retry), key, time.monotonic() + PATIENCE, weight(record)
        )
        self.memory += begun.memory
        self._asked[self._serial] = self._by_key[key] = begun
        return begun

    def _forget(self, serial: int) -> Asked[WaiterT] | None:
        """The question waits no more; None if it didn't."""
        asked = self._asked.pop(serial, None)
        if asked is not None:
            del self._by_key[asked.key]
            self.memory -= asked.memory
        return asked

    def _uses_up_memory(self) -> bool:
        """Whether what waits takes all the memory it may."""
        quota = self.quota()
        return bool(quota) and self.memory >= quota

    def _of(self, domain: Domain) -> list[Asked[WaiterT]]:
        """The questions of ``domain``."""
        return [asked for asked in self._asked.values() if asked.key[0] is domain]


def wait(asked: Asked[WaiterT], number: int, waiter: WaiterT) -> None:
    """``waiter`` waits for the answer, too."""
    asked.waiting[number] = waiter
    asked.question.processes = len(asked.waiting)


def key_of(domain: Domain, request: Request) -> Key:
    """What is asked for by ``request`` of a process in ``domain``."""
    return (domain, request.operation.keyword, request.arguments, _shown(request.facts))


def _shown(facts: Facts) -> bytes:
    """What tells two requests for the same apart: who was asked about one shell command has not allowed another."""
    task = facts.task
    ids = (task.uid, task.gid, task.euid, task.egid, task.suid, task.sgid, task.fsuid, task.fsgid)
    everything = (ids, task.execute_handler, facts.execution, facts.symlink_target)
    return hashlib.sha256(repr(everything).encode()).digest()
