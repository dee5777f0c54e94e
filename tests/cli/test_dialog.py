from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from sekisho.cli.dialog import Answer, Dialog, Reply
from sekisho.cli.lines import LineInput
from sekisho.interface.inquiry import Inquiry
from sekisho.learn.choices import choices
from sekisho.policy.parser import parse_acl

LINE = "file read /etc/shadow"
INQUIRY = Inquiry(7, 0, 4711, {"uid": "33", "gid": "33", "euid": "33", "egid": "33"}, "<kernel> /p", LINE, LINE)


@dataclass
class Table:
    """A dialog, what is typed at it, and what it shows."""

    keyboard: int
    screen: io.StringIO
    dialog: Dialog

    def answer(self, *typed: str, inquiry: Inquiry = INQUIRY) -> Answer:
        os.write(self.keyboard, "".join(f"{line}\n" for line in typed).encode())
        return self.dialog.ask(inquiry, ["4700 profile 3 <kernel>"], ["No entry grants it."], choices(parse_acl(LINE)))


@pytest.fixture
def table() -> Iterator[Table]:
    read, write = os.pipe()
    screen = io.StringIO()
    yield Table(write, screen, Dialog(LineInput(read), screen, 20.0))
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("a", Answer(Reply.ALLOW)),
        ("s", Answer(Reply.SESSION)),
        ("d", Answer(Reply.DENY)),
        ("", Answer(Reply.DENY)),
        ("n", Answer(Reply.NEVER)),
        ("1", Answer(Reply.ADD, "file read /etc/shadow")),
        ("2", Answer(Reply.ADD, r"file read /etc/\*")),
    ],
)
def test_each_key(table: Table, typed: str, answer: Answer) -> None:
    assert answer == table.answer(typed)


def test_everything_that_one_decides_by_is_shown(table: Table) -> None:
    table.answer("d")
    shown = table.screen.getvalue()
    for part in ("Question 7", "process 4711", "uid=33", "<kernel> /p", LINE, "4700 profile 3", "No entry grants it."):
        assert part in shown
    assert r"file read /etc/\*" in shown


def test_a_question_asked_again_says_so(table: Table) -> None:
    table.answer("d", inquiry=Inquiry(8, 2, 1, {}, "<kernel> /p", LINE, LINE))
    assert "Question 8, asked 3 times" in table.screen.getvalue()


def test_anything_else_is_asked_again(table: Table) -> None:
    assert Answer(Reply.ALLOW) == table.answer("yes", "9", "\x1b[31m", "a")
    shown = table.screen.getvalue()
    assert 3 == shown.count("Nothing here is called")
    assert "\x1b" not in shown


def test_a_line_is_edited_and_made_canonical(table: Table) -> None:
    assert Answer(Reply.ADD, "file read/getattr /etc/shadow") == table.answer("e", "file getattr/read  /etc/shadow")


def test_a_line_with_an_error_is_told_and_nothing_is_added(table: Table) -> None:
    assert Answer(Reply.DENY) == table.answer("e", "file raed /etc/shadow", "d")
    assert "did you mean read?" in table.screen.getvalue()


def test_no_line_goes_back_to_the_question(table: Table) -> None:
    assert Answer(Reply.DENY) == table.answer("e", "", "d")


def test_no_answer_in_time_denies(table: Table) -> None:
    patient = Dialog(LineInput(table.dialog._source.fd), table.screen, 0.05)
    assert Answer(Reply.TIMEOUT) == patient.ask(INQUIRY, [], [], [])


def test_the_arguments_of_a_program_are_shown(table: Table) -> None:
    table.answer("d", inquiry=replace(INQUIRY, arguments='"sh" "-c" "reboot"'))
    assert 'with    "sh" "-c" "reboot"' in table.screen.getvalue()


def test_what_asks_does_not_push_the_question_off_the_screen(table: Table) -> None:
    inquiry = replace(INQUIRY, arguments=" ".join(['"x"'] * 5000))
    os.write(table.keyboard, b"d\n")
    table.dialog.ask(inquiry, [f"{pid} profile 3 <kernel>" for pid in range(500)], [], [])

    shown = table.screen.getvalue()
    assert len(shown) < 2500
    assert "more characters" in shown
    assert "(488 more)" in shown
    assert "499 profile 3" in shown
