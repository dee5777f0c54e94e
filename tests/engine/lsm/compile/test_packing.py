"""Rows lie over each other, and each state still finds what is its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.engine.lsm.compile import packing
from sekisho.engine.lsm.compile.packing import ACCEPT, MAX_VALUE, SYMBOL_SHIFT, pack
from sekisho.engine.lsm.compile.subsets import NOWHERE, OTHER, Machine, TooManyStates


@st.composite
def machines(draw):
    count = draw(st.integers(1, 12))
    symbols = st.sampled_from([0, 1, 2, 0x2F, 0x61, 0x62, 254, 255, OTHER])
    row = st.dictionaries(symbols, st.integers(NOWHERE, count - 1), max_size=6)
    rows = draw(st.lists(row, min_size=count, max_size=count))
    return Machine(rows, draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)), ((0,), (1,), (2,)))


def cell(cells, offset, symbol):
    value = cells[offset + symbol]
    return value & MAX_VALUE if value >> SYMBOL_SHIFT == symbol + 1 else None


@given(machines())
def test_each_state_has_its_row_and_no_other_cell(machine):
    cells = pack(machine)
    offsets = {0: 0}
    reached = [0]
    for state in reached:
        for symbol in range(ACCEPT):
            found = cell(cells, offsets[state], symbol)
            assert (found is None) is (symbol not in machine.rows[state])
            if found is not None:
                target = machine.rows[state][symbol]
                if target not in offsets:
                    offsets[target] = found
                    if target != NOWHERE:
                        reached.append(target)
                assert offsets[target] == found
        assert (cell(cells, offsets[state], ACCEPT) or 0) == machine.accepted[state]
    assert len(set(offsets.values())) == len(offsets)
    assert max(offsets.values()) + ACCEPT < len(cells)
    if NOWHERE in offsets:
        assert all(cell(cells, offsets[NOWHERE], symbol) is None for symbol in range(ACCEPT + 1))


def test_rows_that_fit_together_take_no_more_than_their_cells():
    count = 5000
    chain = Machine([{0x61 + state % 26: state + 1} for state in range(count)] + [{}], [0] * count + [1], ((0,),))

    assert len(pack(chain)) < count + 1000


def test_offsets_that_a_cell_cannot_hold_are_refused(monkeypatch):
    monkeypatch.setattr(packing, "MAX_VALUE", 1)
    with pytest.raises(TooManyStates, match="more than 1 cells"):
        pack(Machine([{0: 1}, {0: 2}, {0: 0}], [0, 0, 0], ()))
