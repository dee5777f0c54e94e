"""A net made into a machine with one state at a time: a state for each set of nodes that a name can lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sekisho.engine.lsm.compile.net import NOBODY, Net
from sekisho.names.components import OPERATORS
from sekisho.names.word import decode

OTHER: Final = 256
"""The symbol for any byte that a state has nothing of its own for."""

NOWHERE: Final = -1
"""The state that is left by no byte and accepts nothing."""

SLASH: Final = 0x2F

_DIGITS: Final = b"0123456789"
_HEX_LETTERS: Final = b"ABCDEFabcdef"
_LETTERS: Final = b"GHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz"
_GROUPS: Final = (b".", _DIGITS, _HEX_LETTERS, _LETTERS)
"""No operator tells the bytes of a group apart. The last group, of all others but the slash, has no list."""

_GROUP_OF: Final = tuple(
    next((group for group, members in enumerate(_GROUPS) if byte in members), len(_GROUPS)) for byte in range(256)
)
_ALL: Final = tuple(range(len(_GROUPS) + 1))
_FITTING: Final = {"any": _ALL, "any but .": _ALL[1:]} | {
    allowed: tuple(group for group, members in enumerate(_GROUPS) if members.decode()[0] in allowed)
    for allowed, _ in OPERATORS.values()
    if not allowed.startswith("any")
}
"""What an operator may stand for to the groups that it takes."""

State = frozenset[int]
_EMPTY: Final[State] = frozenset()


class TooManyStates(ValueError):
    """The words together need more states than they may have.

    ``held`` tells for each node of the net how many of the states that there were by then held it.
    """

    def __init__(self, text: str, states: Iterable[State] = ()) -> None:
        super().__init__(text)
        self.held: Final = Counter(node for state in states for node in state)


@dataclass(frozen=True, slots=True)
class Machine:
    """States by number; 0 is where it starts."""

    rows: list[dict[int, int]]
    """For each state byte or ``OTHER`` to the next state, ``NOWHERE`` included; what isn't there leads nowhere."""
    accepted: list[int]
    """For each state its accept number, 0 for none."""
    accepts: tuple[tuple[int, ...], ...]
    """What each number, from 1 on, stands for: the words that match."""


def machine(net: Net, budget: int, accepts: Iterable[tuple[int, ...]] = ()) -> Machine:
    """The machine for ``net``; ``accepts`` are numbered first, and others as they are come upon.

    Raises:
        TooManyStates: there are more than ``budget``.
    """
    steps = _Steps(net)
    numbers: dict[State, int] = {steps.start: 0}
    sets: dict[tuple[int, ...], int] = {each: number for number, each in enumerate(accepts, 1)}
    order = [steps.start]
    rows: list[dict[int, int]] = []
    accepted: list[int] = []
    for state in order:  # which grows meanwhile
        row: dict[int, int] = {}
        for symbol, reached in steps.row(state):
            if not reached:
                row[symbol] = NOWHERE
                continue
            number = numbers.get(reached)
            if number is None:
                number = numbers[reached] = len(order)
                order.append(reached)
                if number >= budget:
                    raise TooManyStates(f"more than {budget} states", order)
            row[symbol] = number
        rows.append(row)
        words = steps.words(state)
        accepted.append(sets.setdefault(words, len(sets) + 1) if words else 0)
    return Machine(rows, accepted, tuple(sets))


class _Steps:
    """Where sets of nodes lead."""

    def __init__(self, net: Net) -> None:
        self._net = net
        nodes = range(len(net.parents))
        self._closed = [_closed(net, (node,)) for node in nodes]
        self._starts = {node: _closed(net, net.entries[node]) for node in nodes if net.entries[node]}
        self._is_start = frozenset(self._starts)
        self._accepting = frozenset(node for node in nodes if net.accepts[node])
        self._refusing = frozenset(node for node in nodes if net.refuses[node] != NOBODY)
        self._spared = {node: spared for node in nodes if net.loops[node] and (spared := _spared(net, node))}
        self._sparing = frozenset(self._spared)
        self.start = frozenset(self._closed[0])

    def row(self, state: State) -> list[tuple[int, State]]:
        """Each symbol with a row of its own in the state's table, and the set it leads to."""
        sources: list[int] = []
        for node in state:
            sources.extend(self._starts[node] if node in self._is_start else (node,))
        wide: dict[str, set[int]] = {}
        single: dict[int, set[int]] = {}
        slashes: list[tuple[int, int]] = []
        net, closed = self._net, self._closed
        for node in sources:
            for byte, child in net.literals[node].items():
                single.setdefault(byte, set()).update(closed[child])
            for allowed, child in net.moves[node]:
                wide.setdefault(allowed, set()).update(closed[child])
            slashes += net.slashes[node]
        if slashes:
            refused = {net.refuses[node] for node in self._refusing.intersection(sources)}
            single.setdefault(SLASH, set()).update(
                node for group, child in slashes if group not in refused for node in closed[child]
            )
        return self._symbols(wide, single)

    def _symbols(self, wide: dict[str, set[int]], single: dict[int, set[int]]) -> list[tuple[int, State]]:
        if not wide:
            return [(byte, self._fewest(single[byte])) for byte in sorted(single)]
        groups: list[set[int]] = [set() for _ in _ALL]
        for allowed, nodes in wide.items():
            for group in _FITTING[allowed]:
                groups[group] |= nodes
        reached = [self._fewest(nodes) for nodes in groups]
        others = reached[-1]
        symbols = {
            byte: reached[group] for group, row in enumerate(_GROUPS) if reached[group] != others for byte in row
        }
        symbols.setdefault(SLASH, _EMPTY)
        for byte, nodes in single.items():
            symbols[byte] = self._fewest(nodes if byte == SLASH else nodes | groups[_GROUP_OF[byte]])
        result = [(byte, symbols[byte]) for byte in sorted(symbols) if symbols[byte] != others]
        if others:
            result.append((OTHER, others))
        return result

    def _fewest(self, nodes: set[int]) -> State:
        """The nodes without those that can lead to nothing that another one doesn't lead to."""
        for node in self._sparing.intersection(nodes):
            nodes = nodes - self._spared[node]
        return frozenset(nodes)

    def words(self, state: State) -> tuple[int, ...]:
        """The words that match a name ending in this state, ascending."""
        accepting = self._accepting & state
        if not accepting:
            return ()
        net = self._net
        refused = {net.refuses[node] for node in self._refusing & state}
        return tuple(sorted({word for node in accepting for group, word in net.accepts[node] if group not in refused}))


def _closed(net: Net, nodes: Iterable[int]) -> tuple[int, ...]:
    """The nodes and all that one is at too when one is at them."""
    found = list(dict.fromkeys(nodes))
    for node in found:  # which grows meanwhile
        found.extend(follower for follower in net.follows[node] if follower not in found)
    return tuple(found)


def _spared(net: Net, node: int) -> State:
    r"""The nodes that needn't be looked at together with ``node``, which loops.

    Those are the nodes from which every way goes through ``node``, over nothing that its loop doesn't take: behind
    ``\*a\*`` it is over with looking for the ``a``. Nodes above the uppermost loop are never held at one time with it.
    """
    allowed = net.loops[node]
    assert allowed is not None
    spared: set[int] = set()
    above: set[int] = set()
    is_sole = True
    parent, unit = net.parents[node]
    while parent != NOBODY and (is_sole or spared != above):
        loop = net.loops[parent]
        is_sole = is_sole and _fits(unit, allowed) and _is_passage(net, parent) and (not loop or _within(loop, allowed))
        if is_sole:
            above.add(parent)
        if loop:
            spared |= above
        parent, unit = net.parents[parent]
    return frozenset(spared)


def _is_passage(net: Net, node: int) -> bool:
    """True if one way leads on from here and nothing ends here."""
    ways = len(net.literals[node]) + len(net.follows[node])
    ways += sum(child != node for _, child in net.moves[node])
    return ways == 1 and not net.slashes[node] and not net.accepts[node] and net.refuses[node] == NOBODY


def _fits(unit: str, allowed: str) -> bool:
    if unit in OPERATORS:
        return _within(OPERATORS[unit][0], allowed)
    return _GROUP_OF[decode(unit)[0]] in _FITTING[allowed]


def _within(inner: str, outer: str) -> bool:
    return set(_FITTING[inner]) <= set(_FITTING[outer])
