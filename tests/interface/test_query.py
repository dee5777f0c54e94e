from __future__ import annotations

import pytest
from tests.interface.stage import MANAGER, STRANGER, Stage, record, write

from sekisho.audit.text import format_text


def question(serial: int, retry: int, acl: str) -> bytes:
    return f"Q{serial}-{retry}\n{format_text(record(acl))}".encode() + b"\0"


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    domain = stage.put(20, "<kernel> /bin/x")
    stage.questions.ask(4, "file read /a", domain)
    stage.questions.ask(7, "file read /b", domain, retry=2)
    return stage


def test_reading_walks_the_list_and_begins_anew(stage: Stage) -> None:
    handle = stage.open("query")
    for _ in range(2):
        assert handle.read(MANAGER, 4096) == question(4, 0, "file read /a")
        assert handle.read(MANAGER, 4096) == question(7, 2, "file read /b")
        assert handle.read(MANAGER, 4096) == b""


def test_none_is_left_out_when_an_earlier_one_is_answered(stage: Stage) -> None:
    handle = stage.open("query")
    handle.read(MANAGER, 4096)
    write(handle, "A4=1\n")

    assert handle.read(MANAGER, 4096) == question(7, 2, "file read /b")


def test_a_short_read_gets_the_rest_next_time(stage: Stage) -> None:
    handle = stage.open("query")
    whole = question(4, 0, "file read /a")

    assert whole == handle.read(MANAGER, 5) + handle.read(MANAGER, 4096)
    write(handle, "reset\n", STRANGER)
    assert whole == handle.read(MANAGER, 4096)


@pytest.mark.parametrize(
    ("lines", "answers", "alive"),
    [
        ("A4=1\n", [(4, 1)], 1),
        ("A4=3\nA7=2\n", [(4, 3), (7, 2)], 2),
        ("A99=1\n", [(99, 1)], 1),
        ("A4=0\n", [], 1),
        ("\n", [], 1),
        ("A4\nA=1\nA4=\nA-4=1\nanything\n", [], 5),
        ("A99999999999999999999=1\n", [], 1),
    ],
)
def test_answers(stage: Stage, lines: str, answers: list[tuple[int, int]], alive: int) -> None:
    write(stage.open("query"), lines)

    assert (answers, alive) == (stage.questions.answers, stage.questions.alive)
    assert stage.changes == 0


def test_who_may_not_answer_keeps_nothing_waiting(stage: Stage) -> None:
    with pytest.raises(PermissionError):
        write(stage.open("query"), "\n", STRANGER)

    assert stage.questions.alive == 0


def test_who_has_it_open_for_reading_observes_until_it_is_closed(stage: Stage) -> None:
    first, second, writer = stage.open("query"), stage.open("query"), stage.open("query", readable=False)
    assert stage.questions.observers == 2

    for handle in (first, second, second, writer):
        handle.close()
    assert stage.questions.observers == 0


def test_it_is_ready_while_any_question_waits(stage: Stage) -> None:
    handle = stage.open("query")
    for _ in range(4):
        assert handle.ready()
        handle.read(MANAGER, 4096)

    handle.read(MANAGER, 10)
    write(handle, "A4=2\nA7=2\n")
    assert handle.ready()
    handle.read(MANAGER, 4096)
    handle.read(MANAGER, 4096)
    assert not handle.ready()
