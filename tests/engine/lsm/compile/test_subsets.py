"""States are sets of nodes, as few as it takes."""

import pytest

from sekisho.engine.lsm.compile.net import Net
from sekisho.engine.lsm.compile.subsets import NOWHERE, OTHER, SLASH, TooManyStates, machine


def made(*words, budget=1000):
    net = Net()
    for index, word in enumerate(words):
        net.add(index, word)
    return machine(net, budget)


def test_a_literal_is_a_state_a_byte():
    result = made("/ab")

    assert result.rows == [{SLASH: 1}, {ord("a"): 2}, {ord("b"): 3}, {}]
    assert result.accepted == [0, 0, 0, 1]
    assert result.accepts == ((0,),)


def test_what_most_bytes_do_is_said_once():
    result = made(r"/\@")

    assert result.rows[1] == {OTHER: 2, SLASH: NOWHERE, ord("."): NOWHERE}
    assert result.rows[2] == {OTHER: 2, SLASH: NOWHERE, ord("."): NOWHERE}


def test_behind_a_star_what_was_before_it_is_over():
    assert len(made(r"/\*a\*b\*c\*d\*").rows) < 12
    assert len(made(*(rf"/\*{letter * 3}\*" for letter in "abcd")).rows) < 2**4 * 10


def test_sets_that_are_known_are_numbered_first():
    net = Net()
    net.add(0, "/a")
    net.add(1, r"/\*")

    assert machine(net, 100, ((0, 1), (1,), (0,))).accepts == ((0, 1), (1,), (0,))


def test_too_many_states_say_what_they_hold():
    with pytest.raises(TooManyStates, match="more than 50 states") as caught:
        made(*(rf"/\*{letter}\*" for letter in "abcdefghij"), budget=50)

    assert max(caught.value.held.values()) > 40
