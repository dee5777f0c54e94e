"""The stat file reads back as itself and adds up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.errors import PolicyError
from sekisho.policy.model import Mode
from sekisho.policy.stat import Count, Memory, Statistics, parse_stat, print_stat

times = st.integers(0, 2**32)
counts = st.builds(Count, st.integers(0, 2**32 - 1), st.none() | times)
memories = st.builds(Memory, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
statistics = st.builds(Statistics, counts, counts, counts, counts, memories, memories, memories)

TEXT = """\
Policy update:                                 2 (Last: 2026/11/22 22:53:03)
Policy violation in learning mode:             0
Policy violation in permissive mode:           1 (Last: 1970/01/01 00:00:00)
Policy violation in enforcing mode:            0
Memory used by policy:                   1234567 (Quota:   16777216)
Memory used by audit log:                      1
Memory used by query message:                  0
Total memory used:                       1234568
"""


def test_the_text():
    told = Statistics(
        updates=Count(2, 1795387983),
        permissive=Count(1, 0),
        policy_memory=Memory(1234567, 16777216),
        audit_memory=Memory(1),
    )

    assert print_stat(told) == TEXT
    assert parse_stat(TEXT) == told


@given(statistics)
def test_reads_back_as_itself(told):
    assert parse_stat(print_stat(told)) == told


def test_nothing_told_is_nothing_counted():
    assert parse_stat("") == Statistics()


def test_counting():
    told = Statistics().updated(5).updated(7).violated(Mode.ENFORCING, 8).violated(Mode.DISABLED, 9)

    assert told == Statistics(updates=Count(2, 7), enforcing=Count(1, 8))


@given(st.lists(times, max_size=3), st.lists(times, max_size=3), st.lists(times, max_size=3))
def test_two_that_count_from_the_same_start_add_up(start, mine, others):
    def counted(begin: Statistics, moments: list[int]) -> Statistics:
        for moment in moments:
            begin = begin.violated(Mode.LEARNING, moment)
        return begin

    begin = counted(Statistics(), start)
    together = counted(begin, others).plus(counted(begin, mine), since=begin)

    assert together == counted(counted(begin, others), mine)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("hello", 1, "expected a line such as"),
        ("Policy updates: 5", 8, "unknown counter 'updates:'"),
        ("Memory used by cat: 5", 16, "unknown counter 'cat:'"),
        ("Policy update: 5 (Last: 2026/13/01 00:00:00)", 25, "expected a time"),
    ],
)
def test_mistakes_are_pointed_at(text, column, message):
    with pytest.raises(PolicyError) as caught:
        parse_stat(text)

    assert caught.value.column == column
    assert message in caught.value.message
