from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import ARCHITECTURE, Stage

from sekisho.engine.asking import PATIENCE
from sekisho.engine.supervisor import questions
from sekisho.engine.supervisor.questions import Questions
from sekisho.engine.supervisor.system.notify import Notification

NO = -1
LINE = "file read /etc/hostname"


@pytest.fixture
def asking(enforcing: Stage) -> Questions:
    """An observer is there to answer what the stage's program asks."""
    enforcing.supervisor.questions.observe()
    return enforcing.supervisor.questions


def opened(on: Stage) -> object:
    return on.handle("openat", -100, "/etc/hostname", 0)


def test_nobody_is_asked_where_nobody_is_there(enforcing: Stage) -> None:
    assert NO == opened(enforcing)
    assert [] == enforcing.supervisor.questions.pending()


def test_a_refusal_waits_for_its_answer(enforcing: Stage, asking: Questions) -> None:
    assert opened(enforcing) is None
    (question,) = asking.pending()
    assert (LINE, 0, 1) == (question.record.acl, question.retry, question.processes)
    assert not question.record.granted
    assert question.domain is enforcing.domain
    assert [LINE] == enforcing.recorded

    asking.answer(question.serial, 2)
    assert [NO] == enforcing.listener.answers
    assert [] == asking.pending()


def test_what_is_granted_isnt_asked(enforcing: Stage, asking: Questions) -> None:
    enforcing.allow(LINE)
    assert opened(enforcing) is not None
    assert [] == asking.pending()


def test_once_allowed_is_done_once(enforcing: Stage, asking: Questions) -> None:
    opened(enforcing)
    asking.answer(asking.pending()[0].serial, 1)
    assert ("fd", "/etc/hostname", False) == enforcing.listener.answers[-1]

    assert opened(enforcing) is None
    assert 1 == len(asking.pending())


def test_asking_again_looks_at_policy_as_it_is_then(enforcing: Stage, asking: Questions) -> None:
    opened(enforcing)
    enforcing.allow(LINE)
    asking.answer(asking.pending()[0].serial, 3)
    assert ("fd", "/etc/hostname", False) == enforcing.listener.answers[-1]


def test_asking_again_in_vain_is_a_new_question_that_says_so(enforcing: Stage, asking: Questions) -> None:
    opened(enforcing)
    first = asking.pending()[0]
    asking.answer(first.serial, 3)
    (second,) = asking.pending()
    assert (1, True) == (second.retry, second.serial > first.serial)
    asking.answer(second.serial, 3)
    assert 2 == asking.pending()[0].retry
    assert [] == enforcing.listener.answers


def test_each_request_of_a_call_is_asked_and_earlier_answers_hold(enforcing: Stage, asking: Questions) -> None:
    assert enforcing.handle("openat", -100, "/etc/hostname", 2) is None
    asking.answer(asking.pending()[0].serial, 1)
    (question,) = asking.pending()
    assert "file write /etc/hostname" == question.record.acl
    asking.answer(question.serial, 1)
    assert ("fd", "/etc/hostname", False) == enforcing.listener.answers[-1]


def other_call(on: Stage, ident: int) -> None:
    first = on.notification("openat", -100, "/etc/hostname", 0)
    on.supervisor.take(Notification(ident, first.tid, ARCHITECTURE.numbers["openat"], first.arch, first.args))


def test_the_same_question_is_asked_once(enforcing: Stage, asking: Questions) -> None:
    for ident in range(1, 101):
        other_call(enforcing, ident)
    (question,) = asking.pending()
    assert 100 == question.processes
    assert 100 == len(enforcing.recorded)
    asking.answer(question.serial, 1)
    assert 100 == len(enforcing.listener.answers)


def test_different_questions_wait_beside_each_other(enforcing: Stage, asking: Questions) -> None:
    opened(enforcing)
    enforcing.handle("openat", -100, "/etc/passwd", 0)
    first, second = asking.pending()
    asking.answer(second.serial, 1)
    assert ("fd", "/etc/passwd", False) == enforcing.listener.answers[-1]
    assert [first] == asking.pending()


def test_there_is_an_end_to_questions(enforcing: Stage, asking: Questions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MOST", 1)
    opened(enforcing)
    assert NO == enforcing.handle("openat", -100, "/etc/passwd", 0)


def test_the_last_observers_leaving_refuses_all(enforcing: Stage, asking: Questions) -> None:
    asking.observe()
    opened(enforcing)
    asking.leave()
    assert 1 == len(asking.pending())
    asking.leave()
    assert [] == asking.pending()
    assert [NO] == enforcing.listener.answers
    assert NO == opened(enforcing)


def test_time_runs_out(enforcing: Stage, asking: Questions, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("sekisho.engine.asking.time.monotonic", lambda: clock[0])
    opened(enforcing)
    clock[0] += PATIENCE - 1
    asking.look()
    asking.keep_alive()
    clock[0] += PATIENCE - 1
    asking.look()
    assert [] == enforcing.listener.answers
    clock[0] += 2
    asking.look()
    assert [NO] == enforcing.listener.answers


def test_a_signal_ends_the_wait(enforcing: Stage, asking: Questions, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(enforcing)
    monkeypatch.setattr(questions, "signalled", lambda tid: True)
    asking.look()
    assert [NO] == enforcing.listener.answers
    assert [] == asking.pending()


def test_who_waits_for_what_can_be_told(enforcing: Stage, asking: Questions) -> None:
    assert asking.waiting(enforcing.process.tgid) is None
    opened(enforcing)
    assert asking.pending()[0].serial == asking.waiting(enforcing.process.tgid)


def test_observers_are_woken(enforcing: Stage, asking: Questions) -> None:
    woken: list[int] = []
    asking.wake = lambda: woken.append(1)
    opened(enforcing)
    assert [1] == woken


def test_an_unknown_serial_changes_nothing(enforcing: Stage, asking: Questions) -> None:
    opened(enforcing)
    asking.answer(4711, 1)
    assert 1 == len(asking.pending())


def test_an_execution_is_asked_for_too(enforcing: Stage, asking: Questions, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert enforcing.handle("execve", program, 0, 0) is None
    assert f"file execute {program}" == asking.pending()[0].record.acl


def test_the_same_program_with_other_arguments_is_another_question(
    enforcing: Stage, asking: Questions, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for word in (b"harmless\0", b"harmful\0"):
        enforcing.handle("execve", program, enforcing.pointer(struct.pack("QQ", enforcing.pointer(word), 0)), 0)

    assert [("harmless",), ("harmful",)] == [
        question.record.execution and question.record.execution.argv for question in asking.pending()
    ]


def test_arguments_that_change_while_the_answer_is_awaited_are_asked_about(
    enforcing: Stage, asking: Questions, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text, word = enforcing.room()
    word.value = b"harmless"
    enforcing.handle("execve", program, enforcing.pointer(struct.pack("QQ", text, 0)), 0)
    word.value = b"harmful"
    asking.answer(asking.pending()[0].serial, 1)

    (question,) = asking.pending()
    assert question.record.execution is not None
    assert ("harmful",) == question.record.execution.argv


def test_a_flood_of_one_domains_questions_leaves_others_theirs(
    enforcing: Stage, asking: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MOST_OF_ONE", 2)
    for name in ("/etc/hostname", "/etc/passwd", "/etc/group"):
        enforcing.handle("openat", -100, name, 0)
    assert [NO] == enforcing.listener.answers
    assert 1 == len(enforcing.warnings)

    enforcing.process.domain = enforcing.policy.domains["<kernel>"]
    enforcing.process.domain.profile = enforcing.domain.profile
    opened(enforcing)

    assert 3 == len(asking.pending())


def test_looking_after_many_leaves_time_for_others(
    enforcing: Stage, asking: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[float] = []

    def slowly(_: int) -> bool:
        time.sleep(0.05)
        looked.append(time.monotonic())
        return False

    opened(enforcing)
    monkeypatch.setattr(questions, "signalled", slowly)
    while len(looked) < 2:
        asking.look()

    assert looked[1] - looked[0] >= 0.4


def test_memory_is_given_back(enforcing: Stage, asking: Questions) -> None:
    opened(enforcing)
    assert asking.memory > 0
    asking.answer(asking.pending()[0].serial, 2)
    assert 0 == asking.memory
    assert asking.waiting(enforcing.process.tgid) is None
