"""Lists in the kernel. One never changes: what has changed is another list, and the old one goes when it is safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import Interner
from sekisho.engine.lsm.compile.lists import CompiledList, compile_list
from sekisho.engine.lsm.publish.automata import Automata
from sekisho.engine.lsm.publish.maps import Maps
from sekisho.engine.lsm.publish.names import Names
from sekisho.engine.lsm.publish.records import records_of, words_of
from sekisho.engine.lsm.publish.regions import NoRoom
from sekisho.policy.model import AclEntry, Namespace


@dataclass(frozen=True, slots=True)
class Listed:
    """A list in the kernel: its id (0: there is nothing in it), and what is to be taken away with it."""

    number: int = 0
    keys: dict[str, bytes] = field(default_factory=dict, repr=False)
    origins: tuple[int, ...] = ()
    incomplete: tuple[int, ...] = ()
    """Which entries grant less in the kernel than policy says, being too large for it."""


class Lists:
    """Every list that is in the kernel."""

    def __init__(self, maps: Maps, names: Names, interner: Interner) -> None:
        """The maps have no list yet."""
        self._maps = maps
        self._names = names
        self._interner = interner
        self.automata = Automata(maps.cells)
        self._next = 1
        self._gone: list[Listed] = []

    def compile(self, entries: Sequence[AclEntry], namespace: Namespace) -> Listed:
        """A new list of these entries. Raises ValueError for what is too large for the kernel side."""
        if not entries:
            return Listed()
        try:
            return self.add(compile_list(entries, namespace, self._interner, self.automata))
        except NoRoom:
            self.automata.sweep()
            self.collect()
            return self.add(compile_list(entries, namespace, self._interner, self.automata))

    def add(self, compiled: CompiledList) -> Listed:
        """A new list: all of it is in the kernel, and nobody uses it yet."""
        number, self._next = self._next, self._next + 1
        if compiled.header.standing_count:
            number |= layout.LIST_STANDING
        self.automata.hold(compiled.origins)
        for word in words_of(compiled):
            self._names.announce(word)
        records = records_of(compiled, number)
        for table, (keys, values) in records.items():
            self._maps.tables[table].update_many(keys, values)
        held = {table: keys for table, (keys, _) in records.items()}
        return Listed(number, held, compiled.origins, tuple(compiled.incomplete))

    def drop(self, listed: Listed) -> None:
        """Nobody begins to use the list any more: it goes with the next ``collect``."""
        if listed.number:
            self._gone.append(listed)

    @property
    def waiting(self) -> int:
        """How many lists are to go."""
        return len(self._gone)

    def collect(self) -> None:
        """What was dropped is gone, once those who were at it have finished."""
        gone, self._gone = self._gone, []
        self._maps.settle()
        for listed in gone:
            for table, keys in listed.keys.items():
                self._maps.tables[table].delete_many(keys)
            self.automata.let_go(listed.origins)
        self.automata.settled()
