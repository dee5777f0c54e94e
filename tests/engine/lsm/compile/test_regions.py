"""Automata share a place where they are equal, and a list knows which it refers to."""

from __future__ import annotations

from sekisho.engine.lsm.compile.regions import Cells, Places, automaton_of, fitting_of, variable_of
from sekisho.engine.lsm.walk.automaton import walk


def test_equal_automata_are_in_one_place() -> None:
    cells = Cells()
    first, second = automaton_of(("/a",)), automaton_of(("/b",))
    origins = [cells.origin(each.cells) for each in (first, second, first)]

    assert origins[0] == origins[2] != origins[1]
    assert [1, 0] == [walk(cells.cells, origins[0], raw) for raw in (b"/a", b"/b")]
    assert [0, 1] == [walk(cells.cells, origins[1], raw) for raw in (b"/a", b"/b")]


def test_a_list_knows_which_automata_it_refers_to() -> None:
    cells = Cells()
    places = Places(cells)
    found = [places.of_words(words) for words in (["/a", "/a"], [], ["/b"], ["/a"])]

    assert found[1] == 0
    assert found[0] == found[3] != found[2]
    assert [found[0] - 1, found[2] - 1] == list(places.origins)


def test_what_was_made_is_remembered() -> None:
    assert automaton_of(("/a",)) is automaton_of(("/a",))
    assert fitting_of(("/a",)) is fitting_of(("/a",))
    assert variable_of("A", "a") is variable_of("A", "a")
