from __future__ import annotations

import os
import time

import pytest

from sekisho.decide.request import Facts, Request, Task
from sekisho.engine.asking import PATIENCE
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon import stopped
from sekisho.engine.lsm.daemon.questions import MOST_OF_ONE, Questions
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Policy

READ = OPERATIONS["file read"]


class Table:
    """The kernel side's questions."""

    def __init__(self) -> None:
        self.held: dict[int, bytes] = {}

    def lookup(self, key: int) -> bytes | None:
        return self.held.get(key)

    def update(self, key: int, value: bytes, condition: int = 0) -> None:
        assert condition == 2, "a question that was given up must not come back"
        if key not in self.held:
            raise FileNotFoundError
        self.held[key] = value

    def delete(self, key: int) -> bool:
        return self.held.pop(key, None) is not None

    def items(self) -> list[tuple[bytes, bytes]]:
        return [(key.to_bytes(4, "little"), value) for key, value in self.held.items()]

    def verdict(self, key: int) -> int:
        return int(layout.Question.from_buffer_copy(self.held[key]).verdict)

    def use(self, key: int) -> None:
        question = layout.Question.from_buffer_copy(self.held[key])
        question.used = 1
        self.held[key] = bytes(question)


class Scene:
    """Questions of a kernel side that isn't there; the tasks are threads of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.table = Table()
        self.state = layout.State()
        self.gone: list[int] = []
        self.now = 100.0
        self.domain = Policy().domains["<kernel>"]
        self.questions = Questions(self.table, self.state, self.let_go)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def let_go(self, process: int, thread: int) -> bool:
        self.gone.append(thread)
        return True

    def asks(self, number: int, name: str = "/etc/passwd", uid: int = 0, domain: Domain | None = None) -> None:
        self.table.held[number] = bytes(layout.Question(process=os.getpid(), thread=os.getpid()))
        facts = Facts()
        facts.task = Task(os.getpid(), 1, uid=uid, global_pid=os.getpid())
        event = layout.Event(question=number, pid=os.getpid(), thread=os.getpid(), flags=layout.EVENT_QUESTION)
        self.questions.asked(event, domain or self.domain, Request(READ, (name,), facts))


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_the_kernel_side_asks_only_while_somebody_is_there(scene: Scene) -> None:
    scene.questions.observe()
    scene.questions.observe()
    assert scene.state.observers == 2
    scene.questions.leave()
    scene.questions.leave()
    assert scene.state.observers == 0


def test_what_is_asked_with_nobody_there_is_refused(scene: Scene) -> None:
    """The last one may leave while the kernel side is just about to ask."""
    scene.asks(1)
    assert (scene.table.verdict(1), scene.gone, scene.questions.pending()) == (
        layout.ANSWER_REFUSE, [os.getpid()], [],
    )  # fmt: skip


def test_who_is_refused_with_nobody_there_sleeps_for_the_penalty(scene: Scene) -> None:
    scene.questions.penalty = lambda domain: 15
    scene.asks(1)
    assert 1.5 == pytest.approx(scene.questions.patience())
    for _ in range(20):
        scene.now += 0.07  # what nobody knows of would be refused meanwhile
        scene.questions.look()
    assert (scene.table.verdict(1), scene.gone) == (layout.ANSWER_NONE, [])
    scene.now += 0.2
    scene.questions.look()
    assert (scene.table.verdict(1), scene.gone[:1]) == (layout.ANSWER_REFUSE, [os.getpid()])


def test_a_domains_flood_of_refusals_doesnt_sleep(scene: Scene) -> None:
    scene.questions.penalty = lambda domain: 10
    for number in range(1, MOST_OF_ONE + 2):
        scene.asks(number)
    assert scene.table.verdict(MOST_OF_ONE) == layout.ANSWER_NONE
    assert scene.table.verdict(MOST_OF_ONE + 1) == layout.ANSWER_REFUSE


@pytest.mark.parametrize(("answer", "verdict"), [(1, 1), (2, 2), (3, 3), (4, 2), (77, 2)])
def test_the_verdict_is_there_before_the_task_goes_on(scene: Scene, answer: int, verdict: int) -> None:
    scene.questions.observe()
    scene.asks(1)
    seen: list[int] = []

    def let_go(process: int, thread: int) -> bool:
        seen.append(scene.table.verdict(1))
        return True

    scene.questions._let_go = let_go
    scene.questions.answer(1, answer)
    assert seen == [verdict]
    assert not scene.questions.pending()


def test_the_same_question_is_asked_once(scene: Scene) -> None:
    scene.questions.observe()
    woken: list[int] = []
    scene.questions.wake = lambda: woken.append(1)
    scene.asks(1)
    scene.asks(2)
    scene.asks(3, uid=7)
    first, second = scene.questions.pending()
    assert (first.processes, second.processes, len(woken)) == (2, 1, 3)
    scene.questions.answer(first.serial, 1)
    assert [scene.table.verdict(each) for each in (1, 2, 3)] == [1, 1, 0]


def test_an_answer_to_what_nobody_waits_for_is_nothing(scene: Scene) -> None:
    scene.questions.observe()
    scene.asks(1)
    scene.questions.answer(1, 2)
    scene.asks(2)
    scene.questions.answer(1, 1)
    assert scene.table.verdict(2) == 0


def test_a_question_that_was_given_up_does_not_come_back(scene: Scene) -> None:
    """Between the look at it and the verdict the task may have asked for something else."""
    scene.questions.observe()
    scene.asks(1)
    lookup = scene.table.lookup

    def gone_then(key: int) -> bytes | None:
        found = lookup(key)
        scene.table.held.clear()
        return found

    scene.table.lookup = gone_then  # type: ignore[method-assign]
    scene.questions.answer(1, 1)
    assert (scene.table.held, scene.gone) == ({}, [])


def test_nobody_waits_for_ever(scene: Scene) -> None:
    scene.questions.observe()
    scene.asks(1)
    scene.now += PATIENCE - 1
    scene.questions.keep_alive()
    scene.now += PATIENCE - 1
    scene.questions.look()
    assert scene.table.verdict(1) == 0
    scene.now += 2
    scene.questions.look()
    assert scene.table.verdict(1) == layout.ANSWER_REFUSE


def test_the_last_reader_refuses_what_waits(scene: Scene) -> None:
    scene.questions.observe()
    scene.asks(1)
    scene.questions.leave()
    assert (scene.table.verdict(1), scene.state.observers) == (layout.ANSWER_REFUSE, 0)


def test_a_task_that_was_stopped_again_goes_on(scene: Scene) -> None:
    """Somebody else's SIGCONT may have had it look just before the answer was there."""
    scene.questions.observe()
    scene.asks(1)
    scene.questions.answer(1, 1)
    scene.questions.look()
    assert len(scene.gone) == 2
    scene.table.use(1)
    scene.questions.look()
    assert len(scene.gone) == 2
    scene.now += 3
    scene.questions.look()
    assert (scene.table.held, scene.questions.patience()) == ({}, -1)


def test_who_has_ended_waits_no_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.questions.observe()
    scene.asks(1)
    monkeypatch.setattr(stopped, "is_there", lambda *_: False)
    scene.questions.look()
    assert (scene.questions.pending(), scene.table.held, scene.questions.memory) == ([], {}, 0)


def test_who_asks_for_something_else_now_waits_for_that_alone(scene: Scene) -> None:
    scene.questions.observe()
    scene.asks(1)
    scene.table.delete(1)
    scene.asks(2, "/etc/shadow")
    scene.questions.look()
    assert [each.record.acl for each in scene.questions.pending()] == ["file read /etc/shadow"]


def test_one_domains_flood_leaves_others_room(scene: Scene) -> None:
    scene.questions.observe()
    for number in range(1, MOST_OF_ONE + 3):
        scene.asks(number, f"/etc/{number % 3}")
    assert [scene.table.verdict(MOST_OF_ONE + each) for each in (0, 1, 2)] == [0, 2, 2]
    scene.asks(1000, domain=Domain("<other>"))
    assert scene.table.verdict(1000) == 0


def test_questions_take_no_more_memory_than_they_may(scene: Scene) -> None:
    scene.questions.observe()
    scene.questions.quota = lambda: 1
    scene.asks(1)
    scene.asks(2, "/etc/shadow")
    assert (scene.table.verdict(1), scene.table.verdict(2)) == (0, layout.ANSWER_REFUSE)


def test_asking_again_is_counted(scene: Scene) -> None:
    scene.questions.observe()
    scene.asks(1)
    scene.questions.answer(1, 3)
    scene.asks(2)
    assert [each.retry for each in scene.questions.pending()] == [1]


def test_who_waits_is_known_by_his_process(scene: Scene) -> None:
    scene.questions.observe()
    scene.asks(1)
    assert (scene.questions.waiting(os.getpid()), scene.questions.waiting(1)) == (1, None)


def test_what_cannot_be_understood_is_refused(scene: Scene) -> None:
    scene.questions.observe()
    scene.table.held[5] = bytes(layout.Question())
    scene.questions.stray(layout.Event(question=5, pid=os.getpid(), thread=os.getpid()))
    assert scene.table.verdict(5) == layout.ANSWER_REFUSE


def test_a_question_that_nothing_was_heard_of_is_refused(scene: Scene) -> None:
    scene.questions.observe()
    scene.asks(1)
    scene.table.held[9] = bytes(layout.Question(process=os.getpid(), thread=os.getpid()))
    scene.questions.look()
    assert scene.table.verdict(9) == 0, "what is being told may still come"
    scene.now += 3
    scene.questions.look()
    assert (scene.table.verdict(9), scene.table.verdict(1)) == (layout.ANSWER_REFUSE, 0)
