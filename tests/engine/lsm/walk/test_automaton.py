"""Cells are read as the kernel side reads them: a byte's own cell, then the one for any other, then the end."""

from array import array

import pytest

from sekisho.engine.lsm.walk.automaton import walk


def cells(*entries, length=600):
    region = array("I", bytes(4 * length))
    for state, symbol, value in entries:
        region[state + symbol] = (symbol + 1) << 23 | value
    return region


REGION = cells((0, ord("a"), 10), (0, 256, 2), (2, ord("b"), 3), (10, 257, 7), (3, 257, 9), (2, 256, 2))


@pytest.mark.parametrize(
    ("raw", "number"), [(b"a", 7), (b"", 0), (b"x", 0), (b"xb", 9), (b"aa", 0), (b"\xff\xff\0b", 9), (b"xba", 0)]
)
def test_the_accept_number_is_that_of_the_last_state(raw, number):
    assert walk(REGION, 0, raw) == number
    assert walk(array("I", [1 << 31 | 5] * 40) + REGION, 40, raw) == number


def test_a_cell_of_another_state_is_none():
    # The cell at 98 is for state 1 and "a", not for state 0 and "b".
    region = cells((1, ord("a"), 0), (0, 257, 1))

    assert (walk(region, 0, b""), walk(region, 0, b"b")) == (1, 0)
