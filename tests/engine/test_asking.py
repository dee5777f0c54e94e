from __future__ import annotations

import time

import pytest

from sekisho.audit.record import make_record
from sekisho.decide.decision import Decision
from sekisho.decide.request import Facts, Request, Task
from sekisho.engine.asking import PATIENCE, REFUSE, Asking, key_of, wait
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Mode

DOMAIN = Domain("<kernel> /usr/bin/cat")
TASK = Task(1, 1)
REFUSED = Decision(False, Mode.ENFORCING, None, None, False, True, False)


def request(name: str = "/etc/hostname", task: Task = TASK) -> Request:
    facts = Facts()
    facts.task = task
    return Request(OPERATIONS["file read"], (name,), facts)


class Engine(Asking[str]):
    """Remembers what is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[int, int]] = []

    def answer(self, serial: int, answer: int) -> None:
        if self._forget(serial):
            self.answers.append((serial, answer))

    def begin(self, asked: Request, *waiters: str, domain: Domain = DOMAIN) -> None:
        begun = self._begin(key_of(domain, asked), make_record(0, domain, asked, REFUSED), 0)
        for number, waiter in enumerate(waiters):
            wait(begun, number, waiter)

    def is_full(self) -> bool:
        return self._uses_up_memory()

    def deadlines(self) -> list[float]:
        return [asked.deadline for asked in self._of(DOMAIN)]


@pytest.mark.parametrize(
    "other",
    [
        request("/etc/passwd"),
        *(request(task=task) for task in (Task(1, 1, uid=5), Task(1, 1, egid=5), Task(1, 1, execute_handler=True))),
    ],
)
def test_what_is_shown_tells_questions_apart(other: Request) -> None:
    assert key_of(DOMAIN, request()) == key_of(DOMAIN, request())
    assert key_of(DOMAIN, other) != key_of(DOMAIN, request())
    assert key_of(Domain("<kernel>"), request()) != key_of(DOMAIN, request())


def test_questions_have_serials_and_count_who_waits() -> None:
    engine = Engine()
    engine.begin(request(), "one", "another")
    engine.begin(request("/etc/passwd"), "one")
    assert [(1, 2), (2, 1)] == [(each.serial, each.processes) for each in engine.pending()]


def test_memory_is_counted_and_given_back() -> None:
    engine = Engine()
    engine.begin(request())
    assert engine.memory and not engine.is_full()
    engine.quota = lambda: engine.memory
    assert engine.is_full()
    engine.answer(1, 1)
    assert 0 == engine.memory and not engine.pending()


def test_the_last_observers_leaving_refuses_all() -> None:
    engine = Engine()
    engine.observe()
    engine.observe()
    engine.begin(request())
    engine.leave()
    assert [] == engine.answers
    engine.leave()
    assert [(1, REFUSE)] == engine.answers


def test_a_sign_of_life_gives_every_question_its_time_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    engine = Engine()
    engine.begin(request())
    engine.begin(request("/etc/passwd"), domain=Domain("<kernel>"))
    now[0] += 5
    engine.keep_alive()
    assert [105 + PATIENCE] == engine.deadlines()
