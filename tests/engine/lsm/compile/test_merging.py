"""States of which nobody can tell the difference become one."""

from hypothesis import given
from tests.engine.lsm.compile.test_packing import machines

from sekisho.engine.lsm.compile.merging import merged
from sekisho.engine.lsm.compile.subsets import NOWHERE, OTHER, Machine


def same(one, other):
    """True if both accept the same: all pairs of states that one name leads to."""
    pairs = [(0, 0)]
    for a, b in pairs:
        if (one.accepted[a] if a != NOWHERE else 0) != (other.accepted[b] if b != NOWHERE else 0):
            return False
        rows = [machine.rows[state] if state != NOWHERE else {} for machine, state in ((one, a), (other, b))]
        for symbol in {*rows[0], *rows[1], OTHER}:
            pair = tuple(row.get(symbol, row.get(OTHER, NOWHERE)) for row in rows)
            if pair not in pairs:
                pairs.append(pair)
    return True


@given(machines())
def test_what_is_accepted_stays_the_same(machine):
    result = merged(machine)

    assert same(machine, result)
    assert len(result.rows) <= len(machine.rows)


def test_the_same_ends_become_one():
    result = merged(Machine([{1: 1, 2: 2}, {3: 3}, {3: 4}, {}, {}], [0, 0, 0, 1, 1], ((0,),)))

    assert result.rows == [{1: 1, 2: 1}, {3: 2}, {}]
    assert result.accepted == [0, 0, 1]


def test_the_way_into_a_loop_is_the_loop():
    result = merged(Machine([{1: 1}, {1: NOWHERE, OTHER: 2}, {1: NOWHERE, OTHER: 2}], [0, 1, 1], ((0,),)))

    assert result.rows == [{1: 1}, {1: NOWHERE, OTHER: 1}]


def test_ends_that_accept_something_else_stay_apart():
    machine = Machine([{1: 1, 2: 2}, {}, {}], [0, 1, 2], ((0,), (1,)))

    assert merged(machine) == machine
