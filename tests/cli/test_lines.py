from __future__ import annotations

import os
import pty
import time
from collections.abc import Iterator

import pytest

from sekisho.cli.lines import LineInput


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        try:
            os.close(fd)
        except OSError:
            continue


def soon() -> float:
    return time.monotonic() + 10


def test_lines_one_by_one_without_blanks(ends: tuple[int, int]) -> None:
    source = LineInput(ends[0])
    os.write(ends[1], b"  one \ntwo\n\nth")
    assert ["one", "two", ""] == [source.read(soon()) for _ in range(3)]
    os.write(ends[1], b"ree\n")
    assert "three" == source.read(soon())


def test_no_line_in_time(ends: tuple[int, int]) -> None:
    source = LineInput(ends[0])
    os.write(ends[1], b"half")
    assert source.read(time.monotonic() + 0.05) is None
    assert not source.ended
    os.write(ends[1], b" a line\n")
    assert "half a line" == source.read(soon())


def test_nobody_is_there_any_more(ends: tuple[int, int]) -> None:
    source = LineInput(ends[0])
    os.close(ends[1])
    assert source.read(soon()) is None
    assert source.ended
    assert source.read(soon()) is None


def test_any_bytes(ends: tuple[int, int]) -> None:
    os.write(ends[1], b"\xff\xfe\n")
    assert "��" == LineInput(ends[0]).read(soon())


def test_without_a_terminal_a_line_is_typed_anew(ends: tuple[int, int]) -> None:
    os.write(ends[1], b"other\n")
    assert "other" == LineInput(ends[0]).edit("? ", "text", soon())


def test_a_terminal_gives_lines_too() -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"typed\n")
        assert "typed" == LineInput(theirs).read(soon())
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_was_typed_before_the_question_is_no_answer_to_it() -> None:
    master, slave = pty.openpty()
    try:
        source = LineInput(slave)
        os.write(master, b"a\ns\n")
        assert "a" == source.read(soon())
        os.write(master, b"n\n")
        source.forget()
        os.write(master, b"d\n")
        assert "d" == source.read(soon())
    finally:
        os.close(master)
        os.close(slave)


def test_what_a_pipe_gives_is_kept(ends: tuple[int, int]) -> None:
    source = LineInput(ends[0])
    os.write(ends[1], b"a\n")
    source.forget()
    assert "a" == source.read(soon())
