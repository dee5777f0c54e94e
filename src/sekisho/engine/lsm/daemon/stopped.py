"""Tasks that the kernel side has stopped for a question, and that go on: with an answer, or because nobody is there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from sekisho.engine.lsm import layout

_ROUNDS: Final = 40
_PAUSE: Final = 0.05
"""A task that is about to be stopped is within a few of these."""
_STOPPED: Final = b"T"


class Table(Protocol):
    """The map of questions."""

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Every number with its question."""

    def delete(self, key: bytes, /) -> bool:
        """The number has none; whether it had one."""


def is_stopped(process: int, thread: int, root: str = "/proc") -> bool:
    """Whether the thread is there, and stopped; a tracer's stop is none."""
    try:
        with open(f"{root}/{process}/task/{thread}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] == _STOPPED
    except OSError:
        return False


def is_there(process: int, thread: int, root: str = "/proc") -> bool:
    """Whether the thread hasn't ended."""
    return os.path.exists(f"{root}/{process}/task/{thread}")


@contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    fd = os.pidfd_open(pid)
    try:
        yield fd
    finally:
        os.close(fd)


def let_go(process: int, thread: int) -> bool:
    """The process goes on if it is stopped; whether it was. Nobody else with its number is meant."""
    try:
        with _pidfd(process) as fd:
            if not is_stopped(process, thread):
                return False
            signal.pidfd_send_signal(fd, signal.SIGCONT)
            return True
    except OSError:
        return False


def let_all_go(table: Table, rounds: int = _ROUNDS, pause: float = _PAUSE) -> int:
    """Whoever has a question goes on, also who is only about to be stopped; how many did. Nobody may be asked any more:
    what they asked for is refused then. No question is left."""
    count = 0
    for turn in range(rounds):
        questions = [layout.Question.from_buffer_copy(value) for _, value in table.items()]
        if not questions:
            break
        count += sum(let_go(each.process, each.thread) for each in questions)
        if not any(is_there(each.process, each.thread) for each in questions):
            break
        if turn + 1 < rounds:
            time.sleep(pause)
    for number, _ in list(table.items()):
        table.delete(number)
    return count
