from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sekisho.engine.supervisor.system.loop import Loop


class Made(Loop):
    """A loop with the pipes that its test needs."""

    def __init__(self) -> None:
        self.pipes = [os.pipe() for _ in range(3)]
        super().__init__(last=self.pipes[0][0])
        self.seen: list[int] = []
        for number, (read, _) in enumerate(self.pipes):
            self.watch(read, lambda _, number=number: self.turn(number))  # type: ignore[misc]

    def turn(self, number: int) -> None:
        os.read(self.pipes[number][0], 1)
        self.seen.append(number)
        self.ended = len(self.seen) >= 3

    def close(self) -> None:
        self.epoll.close()
        for pipe in self.pipes:
            for fd in pipe:
                os.close(fd)


class Clock:
    """Has to be looked at after ``wait`` seconds, and ends its loop then."""

    def __init__(self, loop: Loop, wait: float) -> None:
        self.loop, self.wait, self.looks = loop, wait, 0

    def patience(self) -> float:
        return self.wait

    def look(self) -> None:
        self.looks += 1
        self.loop.ended = self.looks >= 3


@pytest.fixture
def loop() -> Iterator[Made]:
    made = Made()
    yield made
    made.close()


def test_everybody_has_a_turn_and_one_is_the_last(loop: Made) -> None:
    for _, write in loop.pipes:
        os.write(write, b"x")
    loop.serve()
    assert 0 == loop.seen[-1]
    assert {0, 1, 2} == set(loop.seen)


def test_who_isnt_watched_any_more_has_none(loop: Made) -> None:
    loop.unwatch(loop.pipes[2][0])
    for _, write in loop.pipes:
        os.write(write, b"xx")
    loop.serve()
    assert 2 not in loop.seen


def test_one_that_goes_in_anothers_turn_has_none_either(loop: Made) -> None:
    def first(_: int) -> None:
        loop.turn(1)
        if 2 not in loop.seen and loop.pipes[2][0] in loop.handlers:
            loop.unwatch(loop.pipes[2][0])

    loop.unwatch(loop.pipes[1][0])
    loop.unwatch(loop.pipes[2][0])
    loop.watch(loop.pipes[1][0], first)
    loop.watch(loop.pipes[2][0], lambda _: loop.turn(2))
    for _, write in loop.pipes:
        os.write(write, b"xx")
    loop.serve()
    assert 3 <= len(loop.seen)


@pytest.mark.parametrize("waits", [(0.001, -1), (-1, 0.001), (50.0, 0.001)])
def test_the_shortest_patience_counts(loop: Made, waits: tuple[float, float]) -> None:
    loop.timed += [Clock(loop, wait) for wait in waits]
    loop.serve()
    assert loop.ended
