"""Automata: what a list of patterns matches, in the form in which the kernel side goes through it byte by byte.

The words are policy text; the automaton reads the bytes of a name as the system has them. It accepts ``raw`` for
exactly those words whose ``Pattern(word).matches(encode(raw))`` is true, in one pass and however many they are.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.engine.lsm.compile.blame import most_held
from sekisho.engine.lsm.compile.merging import merged
from sekisho.engine.lsm.compile.net import Net
from sekisho.engine.lsm.compile.packing import pack
from sekisho.engine.lsm.compile.subsets import TooManyStates, machine
from sekisho.names.word import decode

__all__ = ["MAX_STATES", "Automaton", "TooManyStates", "build", "build_fitting", "build_variable"]

MAX_STATES: Final = 1 << 16
"""So many states an automaton may have unless its caller says otherwise."""

_VARIABLE: Final = ((0,), (0, 1))


@dataclass(frozen=True, slots=True)
class Automaton:
    """A region of cells, and which words each accept number stands for."""

    cells: array[int]
    """What goes to the kernel, as it is and in one piece; the start is offset 0."""
    accepts: tuple[tuple[int, ...], ...]
    """``accepts[number - 1]``: the indices of the words that match, ascending, never empty."""
    loose: frozenset[int] = frozenset()
    """Words that are accepted for every name that begins as they do: whether they match is to be asked elsewhere."""


def build(words: Sequence[str], budget: int = MAX_STATES) -> Automaton:
    """The automaton that tells which of ``words``, literals or patterns, match a name; the same for the same words.

    Raises:
        TooManyStates: it would have more than ``budget`` states, or fill more cells than offsets can reach.
    """
    net = Net()
    for index, word in enumerate(words):
        net.add(index, word)
    return _automaton(net, budget)


def build_fitting(words: Sequence[str], budget: int = MAX_STATES) -> Automaton:
    r"""The automaton for ``words`` with as many as necessary of its patterns ``loose``; usually none.

    Patterns such as ``\*a\*`` and ``\*b\*`` in one place take a state for every set of them that can have been seen.
    More than ``budget`` states may come out of it only where the words are so long that nothing else is possible.
    """
    loose: set[int] = set()
    tries = 0
    while True:
        net = Net()
        for index, word in enumerate(words):
            (net.add_loosely if index in loose else net.add)(index, word)
        try:
            automaton = _automaton(net, max(budget, 2 * len(net.parents)))
        except TooManyStates as error:
            costly = most_held(net.ways, error.held, 0.25 if tries < 3 else 0.5)
            if not costly:
                raise
            loose |= costly
            tries += 1
        else:
            return Automaton(automaton.cells, automaton.accepts, frozenset(loose))


def build_variable(name: str, value: str, budget: int = MAX_STATES) -> Automaton:
    """The automaton over environment strings: 1 where ``name`` is set, 2 where its value matches ``value`` besides.

    ``name`` and ``value`` are policy text without quotes. ``accepts`` is ``((0,), (0, 1))`` always.

    Raises:
        TooManyStates: as ``build``.
    """
    net = Net()
    try:
        raw = decode(name)
    except ValueError:
        raw = b"="  # no string has a variable of such a name
    if b"=" not in raw:
        named = net.literal(raw + b"=")
        net.add_anything(0, named)
        net.add(1, value, named)
    return _automaton(net, budget, _VARIABLE)


def _automaton(net: Net, budget: int, accepts: tuple[tuple[int, ...], ...] = ()) -> Automaton:
    made = merged(machine(net, budget, accepts))
    return Automaton(pack(made), made.accepts)
