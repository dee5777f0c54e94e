from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.engine.lsm.publish.regions import NoRoom, Regions


def test_the_first_gap_that_is_long_enough_is_taken() -> None:
    regions = Regions(100)
    first, second = regions.take(40), regions.take(40)
    assert (0, 40) == (first, second)
    with pytest.raises(NoRoom):
        regions.take(21)
    assert 80 == regions.take(20)


def test_what_was_given_back_waits() -> None:
    regions = Regions(10)
    regions.give_back(regions.take(10), 10)
    with pytest.raises(NoRoom):
        regions.take(1)
    assert regions.waiting
    regions.settled()
    assert not regions.waiting
    assert 0 == regions.take(10)


@given(st.lists(st.integers(1, 30), max_size=30))
def test_nothing_is_lost_and_nothing_given_twice(lengths: list[int]) -> None:
    regions = Regions(1000)
    taken: list[tuple[int, int]] = []
    used: set[int] = set()
    for length in lengths:
        origin = regions.take(length)
        cells = set(range(origin, origin + length))
        assert not cells & used
        used |= cells
        taken.append((origin, length))
        if len(taken) % 3 == 0:
            origin, length = taken.pop(len(taken) // 2)
            regions.give_back(origin, length)
            regions.settled()
            used -= set(range(origin, origin + length))
    for origin, length in taken:
        regions.give_back(origin, length)
    regions.settled()
    assert 0 == regions.take(1000)
