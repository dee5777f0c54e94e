"""Where automata are: the compiler asks for a place for each, and writes down what it is told."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from sekisho.engine.lsm.compile.automaton import Automaton, build, build_fitting, build_variable


class Regions(Protocol):
    """Gives automata places among the cells."""

    def origin(self, cells: array[int]) -> int:
        """Where the automaton begins: equal ones may share a place. It is in use until its lists are gone."""
        ...


class Cells:
    """One row of cells that only grows; equal automata share their place."""

    def __init__(self) -> None:
        self.cells: array[int] = array("I")
        self._origins: dict[bytes, int] = {}

    def origin(self, cells: array[int]) -> int:
        """Where the automaton begins, which is there afterwards."""
        content = cells.tobytes()
        known = self._origins.get(content)
        if known is None:
            known = self._origins[content] = len(self.cells)
            self.cells.extend(cells)
        return known


@lru_cache(maxsize=1024)
def automaton_of(words: tuple[str, ...]) -> Automaton:
    """The automaton of the words, made once while it is remembered."""
    return build(words)


@lru_cache(maxsize=256)
def fitting_of(words: tuple[str, ...]) -> Automaton:
    """The automaton of the words, of which some may be loose, made once while it is remembered."""
    return build_fitting(words)


@lru_cache(maxsize=256)
def variable_of(name: str, value: str) -> Automaton:
    """The automaton of an environment variable, made once while it is remembered."""
    return build_variable(name, value)


class Places:
    """The automata that one list refers to: place 0 is none, any other the origin and 1."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.origins: dict[int, None] = {}
        """Every origin given, in the order in which it first was."""

    def of(self, automaton: Automaton) -> int:
        """The automaton's place."""
        origin = self._regions.origin(automaton.cells)
        self.origins[origin] = None
        return origin + 1

    def of_words(self, words: Iterable[str]) -> int:
        """The place of an automaton that accepts what any of the words matches; 0 if there are none."""
        distinct = tuple(dict.fromkeys(words))
        return self.of(automaton_of(distinct)) if distinct else 0
