r"""Patterns as nets of nodes: where in which pattern a name may be after so many of its bytes.

Words that begin alike share nodes, so that a thousand patterns below one directory are one path to it. A set of nodes
never holds more than one place in one component of one pattern's way, for a component begins at one slash only; so what
``\-`` takes away is decided from the set itself when the component ends: some node in it *refuses*.

A node where a component begins (a *start*) stands for its component's first nodes, but is none of them: a name that
ends right there has nothing left to compare, and that is decided by the start.
"""

from __future__ import annotations

from typing import Final

from sekisho.names.components import OPERATORS, STARS, Component, Part, literal_prefix, split_components
from sekisho.names.word import encode, units

_BYTES: Final = {encode(bytes((byte,))): byte for byte in range(256)}

NOBODY: Final = -1
"""The group that nothing is taken from."""


class Net:
    """Nodes, added to word by word. Lists hold one item for each node."""

    def __init__(self) -> None:
        """One node, 0: before the first byte."""
        self.literals: list[dict[int, int]] = []
        """Byte to the node after it."""
        self.moves: list[list[tuple[str, int]]] = []
        """What one byte may be, as ``OPERATORS`` has it, and the node after it."""
        self.slashes: list[list[tuple[int, int]]] = []
        """Where a slash leads unless the group is refused."""
        self.accepts: list[list[tuple[int, int]]] = []
        """The words that match a name ending here, unless the group is refused."""
        self.follows: list[list[int]] = []
        """Nodes one is at too when one is at this."""
        self.refuses: list[int] = []
        """The group that is refused where the component ends while one is here."""
        self.loops: list[str | None] = []
        """What may stand here any number of times."""
        self.parents: list[tuple[int, str]] = []
        """The node one comes from, and the unit between: within a component, or within the words' literal prefixes."""
        self.entries: list[list[int]] = []
        """A start's first nodes; none for all others."""
        self.ways: dict[int, set[int]] = {}
        """For each word nodes that it goes through."""
        self._children: dict[tuple[int, str], int] = {}
        self._starts: dict[int, int] = {}
        self._roots: dict[int, int] = {}
        self._components: dict[tuple[int, Component], tuple[int, int]] = {}
        self._within: dict[int, range] = {}
        self._anything: dict[int, int] = {}
        self._groups = 0
        self._node()

    def add(self, index: int, word: str, origin: int = 0) -> None:
        """From ``origin`` on the names that ``word`` matches are accepted for ``index``."""
        prefix = literal_prefix(word)
        node = self._chain(origin, tuple(units(prefix)))
        if node is None:
            return
        self.ways[index] = {node}
        if len(prefix) == len(word):
            self.accepts[node].append((NOBODY, index))
            return
        self._add_components(index, node, split_components(word[len(prefix) :]), prefix)

    def literal(self, raw: bytes, origin: int = 0) -> int:
        """The node after ``raw``."""
        for byte in raw:
            origin = self._child(origin, encode(bytes((byte,))))
        return origin

    def add_anything(self, index: int, origin: int) -> None:
        """From ``origin`` on every name is accepted for ``index``, slashes or not."""
        node = self._anything.get(origin)
        if node is None:
            node = self._anything[origin] = self._node(loop="any")
            self.slashes[node].append((NOBODY, node))
            self.follows[origin].append(node)
        self.accepts[node].append((NOBODY, index))

    def add_loosely(self, index: int, word: str) -> None:
        """Names that begin with the literal prefix of ``word`` are accepted for ``index``."""
        node = self._chain(0, tuple(units(literal_prefix(word))))
        if node is not None:
            self.add_anything(index, node)

    def _add_components(self, index: int, node: int, components: tuple[Component, ...], prefix: str) -> None:
        last = components[-1]
        ends_in_slash = len(components) > 1 and last.parts == ((),)
        start = self._start(node, self.follows[node])
        if len(components) == 1 and last.is_optional and not prefix.endswith("/"):
            self.accepts[start].append((NOBODY, index))  # nothing is left, and nothing is asked for
        for left, component in zip(range(len(components) - 1, -1, -1), components, strict=True):
            self.ways[index].add(start)
            if left == 0 and ends_in_slash:
                self.accepts[start].append((NOBODY, index))
                return
            found = self._component(start, component)
            if found is None:
                return
            group, end = found
            self.ways[index].update(self._passed(end))
            may_end = left == 0 or (left == 1 and last.is_optional and not ends_in_slash)
            if may_end and not component.repeated:
                self.accepts[end].append((group, index))
            if left:
                start = self._start_after(end, group)

    def _passed(self, end: int) -> set[int]:
        """The nodes of the component that ``end`` is the last of."""
        passed = set(self._within.get(end, ()))
        while end != NOBODY:
            passed.add(end)
            end = self.parents[end][0]
        return passed

    def _start_after(self, end: int, group: int) -> int:
        """Where the component begins that follows the slash after ``end``."""
        if end not in self._starts:
            self._starts[end] = self._node()
            self.slashes[end].append((group, self._starts[end]))
        return self._starts[end]

    def _start(self, node: int, follows: list[int]) -> int:
        """Where the first component begins after a literal prefix."""
        if node not in self._starts:
            self._starts[node] = self._node()
            follows.append(self._starts[node])
        return self._starts[node]

    def _component(self, start: int, component: Component) -> tuple[int, int] | None:
        """The group and the node after a component; None if no name can match it."""
        if not component.repeated and len(component.parts) == 1:
            if start not in self._roots:
                self._roots[start] = self._root(start)
            end = self._chain(self._roots[start], component.parts[0])
            return None if end is None else (NOBODY, end)
        key = start, component
        if key not in self._components:
            again, first = start, len(self.parents)
            if component.repeated:  # what begins here once more is this component alone
                again = self._node()
                self.follows[start].append(again)
            end = self._chain(self._root(again), component.parts[0])
            if end is None:
                return None
            group = self._subtract(again, component.parts[1:])
            if component.repeated:
                self.slashes[end].append((group, again))
            self._components[key] = group, end
            self._within[end] = range(first, len(self.parents))
        return self._components[key]

    def _subtract(self, start: int, parts: tuple[Part, ...]) -> int:
        if not parts:
            return NOBODY
        group, self._groups = self._groups, self._groups + 1
        for part in parts:
            end = self._chain(self._root(start), part)
            if end is not None:
                self.refuses[end] = group
        return group

    def _root(self, start: int) -> int:
        node = self._node()
        self.entries[start].append(node)
        return node

    def _chain(self, node: int, part: Part) -> int | None:
        for unit in part:
            if unit not in OPERATORS and unit not in _BYTES:
                return None  # no name has such a character
            node = self._child(node, unit)
        return node

    def _child(self, node: int, unit: str) -> int:
        key = node, unit
        child = self._children.get(key)
        if child is None:
            allowed, many = OPERATORS.get(unit, ("", False))
            child = self._children[key] = self._node(loop=allowed if many else None, parent=(node, unit))
            if unit in STARS:
                self.follows[node].append(child)
            elif allowed:
                self.moves[node].append((allowed, child))
            else:
                self.literals[node][_BYTES[unit]] = child
        return child

    def _node(self, loop: str | None = None, parent: tuple[int, str] = (NOBODY, "")) -> int:
        node = len(self.parents)
        self.literals.append({})
        self.moves.append([(loop, node)] if loop else [])
        self.slashes.append([])
        self.accepts.append([])
        self.follows.append([])
        self.refuses.append(NOBODY)
        self.loops.append(loop)
        self.parents.append(parent)
        self.entries.append([])
        return node
