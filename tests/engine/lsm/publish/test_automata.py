from __future__ import annotations

from array import array

import pytest
from tests.engine.lsm.publish.memory import MemoryCells

from sekisho.engine.lsm.publish.automata import Automata
from sekisho.engine.lsm.publish.regions import NoRoom


def test_equal_ones_share_a_place_while_anybody_refers_to_it() -> None:
    cells = MemoryCells([], 100)
    automata = Automata(cells)
    one, other = array("I", [1] * 40), array("I", [2] * 60)
    first = automata.origin(one)
    automata.hold([first])
    assert first == automata.origin(array("I", one))
    automata.hold([first])
    second = automata.origin(other)
    automata.hold([second])
    assert [1] * 40 + [2] * 60 == cells.contents

    automata.let_go([first])
    automata.settled()
    with pytest.raises(NoRoom):
        automata.origin(array("I", [3]))
    automata.let_go([first])
    with pytest.raises(NoRoom):
        automata.origin(array("I", [3]))
    automata.settled()
    assert first == automata.origin(array("I", [3]))


def test_what_a_failed_compilation_left_is_swept() -> None:
    automata = Automata(MemoryCells([], 10))
    automata.origin(array("I", [1] * 10))
    automata.sweep()
    automata.settled()

    assert 0 == automata.origin(array("I", [2] * 10))
