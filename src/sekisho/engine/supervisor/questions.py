"""Calls that wait for the administrator: each question asked once, nobody held up by another's (spec g.7)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sekisho.audit.record import make_record
from sekisho.decide.decision import Decision
from sekisho.decide.request import Request
from sekisho.engine.asking import INTERVAL, REFUSE, Asking, Key, key_of, wait
from sekisho.engine.supervisor.system.procfs import signalled
from sekisho.interface.authority import Question
from sekisho.policy.model import Domain

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor
    from sekisho.engine.supervisor.system.notify import Notification

MOST: Final = 1000
"""Questions that can wait at a time; what would be asked beyond is refused."""
MOST_OF_ONE: Final = 200
"""Those of one domain among them, so that a flood of its questions leaves others theirs."""
_SHARE: Final = 10
"""However many calls wait, looking after them takes no more than this part of the time."""
_PERM: Final = -1
_ALLOW, _RETRY = 1, 3


class Held(Exception):
    """The request being judged has been put to the administrator; the call begins anew when the answer is there."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"question {question.serial}")
        self.question = question


@dataclass(slots=True)
class _History:
    """What has been answered for one call so far."""

    verdicts: dict[Key, bool] = field(default_factory=dict)
    retries: dict[Key, int] = field(default_factory=dict)


class Questions(Asking["Notification"]):
    """The questions of one supervisor, for which calls wait by their number."""

    def __init__(self) -> None:
        super().__init__()
        self.current: Notification | None = None
        """The call being judged; None for what can't be held."""
        self._supervisor: Supervisor | None = None
        self._flooding: set[Domain] = set()
        self._serials: dict[int, int] = {}
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
        return history.verdicts.get(key_of(domain, request)) if history is not None else None

    def ask(self, domain: Domain, request: Request, decision: Decision) -> None:
        """Raises Held where somebody is there to be asked; otherwise nothing has happened."""
        call = self.current
        if not self.observers or call is None:
            return
        key = key_of(domain, request)
        asked = self._by_key.get(key)
        if asked is None:
            if self._is_full(domain):
                return
            history = self._history.get(call.id)
            retry = history.retries.get(key, 0) if history is not None else 0
            asked = self._begin(key, make_record(time.time(), domain, request, decision), retry)
            self.wake()
        wait(asked, call.id, call)
        self._serials[call.tid] = asked.question.serial
        raise Held(asked.question)

    def _is_full(self, domain: Domain) -> bool:
        """Whether nothing more can be asked for ``domain``; that one floods the administrator is told."""
        if len(self._asked) >= MOST or self._uses_up_memory():
            return True
        if len(self._of(domain)) < MOST_OF_ONE:
            return False
        if domain not in self._flooding and self._supervisor is not None:
            self._flooding.add(domain)
            self._supervisor.warn(f"{MOST_OF_ONE} questions of {domain.name} wait: what it asks beyond is refused")
        return True

    def waiting(self, tid: int) -> int | None:
        """The serial of the question that task ``tid`` waits for."""
        return self._serials.get(tid)

    def answer(self, serial: int, answer: int) -> None:
        """1 lets the calls that wait go on, 3 has policy asked again, anything else refuses the request.

        What a refusal comes to is the call's own affair: an accept(2) turns the peer away and waits for the next.
        """
        asked = self._forget(serial)
        if asked is None:
            return
        for call in asked.waiting.values():
            self._serials.pop(call.tid, None)
            history = self._history.setdefault(call.id, _History())
            if answer == _RETRY:
                history.retries[asked.key] = asked.question.retry + 1
            else:
                history.verdicts[asked.key] = answer == _ALLOW
            self._again(call)

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
        if not any(call.id in asked.waiting for asked in self._asked.values()):
            self._history.pop(call.id, None)

    def patience(self) -> float:
        """How long the loop may sleep, in seconds (-1: as long as it likes)."""
        return INTERVAL if self._asked else -1

    def look(self) -> None:
        """Questions nobody answers in time are refused, and so is a call whose caller is gone or signalled."""
        if not self._asked or (now := time.monotonic()) < self._next:
            return
        for serial, asked in list(self._asked.items()):
            if now > asked.deadline:
                self.answer(serial, REFUSE)
                continue
            for ident, call in list(asked.waiting.items()):
                if not self._supervised(ident) or signalled(call.tid):
                    del asked.waiting[ident]
                    self._refuse(call)
            asked.question.processes = len(asked.waiting)
            if not asked.waiting:
                self._forget(serial)
        done = time.monotonic()
        self._next = done + max(INTERVAL, _SHARE * (done - now))

    def _supervised(self, ident: int) -> bool:
        return self._supervisor is not None and self._supervisor.listener.valid(ident)
