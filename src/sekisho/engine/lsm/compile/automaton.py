r"""Automata: what a list of patterns matches, in the form in which the kernel side goes through it byte by byte.

The words are policy text; the automaton reads the bytes of a name as the system has them. It accepts ``raw`` for exactly
those words whose ``Pattern(word).matches(encode(raw))`` is true, in one pass and however many they are.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_STATES: Final = 1 << 18
"""So many states an automaton may have unless its caller says otherwise."""


class TooManyStates(ValueError):  # noqa: N818
    """The words together need more states than they may have."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """A region of cells, and which words each accept number stands for."""

    cells: array[int]
    """What goes to the kernel, as it is and in one piece; the start is offset 0."""
    accepts: tuple[tuple[int, ...], ...]
    """``accepts[number - 1]``: the indices of the words that match, ascending, never empty."""


def build(words: Sequence[str], budget: int = MAX_STATES) -> Automaton:
    """The automaton that tells which of ``words``, literals or patterns, match a name; the same for the same words.

    Raises:
        TooManyStates: it would have more than ``budget`` states, or fill more cells than offsets can reach.
    """
    raise NotImplementedError


def build_variable(name: str, value: str, budget: int = MAX_STATES) -> Automaton:
    """The automaton over environment strings: 1 where ``name`` is set, 2 where its value matches ``value`` besides.

    ``name`` and ``value`` are policy text without quotes. ``accepts`` is ``((0,), (0, 1))`` always.

    Raises:
        TooManyStates: as ``build``.
    """
    raise NotImplementedError
