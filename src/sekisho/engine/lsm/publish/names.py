"""Names and their ids. The kernel gives ids, too: who comes first, in one map, is right."""

from __future__ import annotations

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import spelled
from sekisho.engine.lsm.publish.maps import Maps, insert
from sekisho.names.word import encode


class Names:
    """The ids of all names that policy has; those that the kernel gave are looked up when they turn up."""

    def __init__(self, maps: Maps) -> None:
        """Nothing is known yet: see ``load``."""
        self._maps = {size: maps.tables[f"names_{size}"] for size in layout.NAME_SIZES}
        self._ids: dict[tuple[int, bytes], int] = {}
        self._names: dict[int, tuple[int, bytes]] = {}
        self._words = maps.tables["words"]
        self._replacements = maps.tables["replacements"]
        self._announced: set[int] = set()
        self._replacing: set[int] = set()
        self._next = 1

    def load(self) -> None:
        """Every name that has an id in the kernel is known."""
        for table in self._maps.values():
            for key, value in table.items():
                length, space = int.from_bytes(key[:2], "little"), key[2]
                self._know(space, key[4 : 4 + length], layout.NameValue.from_buffer_copy(value).id)
        given = [each for each in self._names if not each & layout.KERNEL_MADE]
        self._next = max(given, default=0) + 1

    def name(self, raw: bytes, space: int = layout.SPACE_NAME) -> int:
        """The id of ``raw``; the kernel knows it, too, when this returns. Raises ValueError where it is too long."""
        known = self._ids.get((space, raw))
        if known is not None:
            return known
        size, key = layout.name_key(raw, space)
        table = self._maps[size]
        if insert(table, key, bytes(layout.NameValue(self._next, _units(space, raw)))):
            found, self._next = self._next, self._next + 1
        else:
            present = table.lookup(key)
            if present is None:  # a name never goes away again
                raise AssertionError(f"{raw!r} is there and isn't")
            found = layout.NameValue.from_buffer_copy(present).id
        self._know(space, raw, found)
        return found

    def word(self, text: str) -> int:
        """The id of a word of policy: of the name that it is the encoding of or, for a pattern, of its text."""
        return self.name(*spelled(text))

    def announce(self, name: int) -> None:
        """The kernel knows how long ``name``, which policy gives to programs, makes a domain's name."""
        if name not in self._announced:
            space, raw = self._names[name]
            self._words.update(name.to_bytes(4, "little"), _units(space, raw).to_bytes(4, "little"))
            self._announced.add(name)

    def replaces(self, name: int) -> None:
        """The kernel knows ``name`` as a whole, by which an aggregator has programs go."""
        if name not in self._replacing:
            space, raw = self._names[name]
            head = len(raw).to_bytes(2, "little") + bytes((space, 0))
            self._replacements.update(name.to_bytes(4, "little"), (head + raw).ljust(layout.NAME_BYTES + 4, b"\0"))
            self._replacing.add(name)

    def told(self, name: int, raw: bytes) -> None:
        """The kernel says that it has given ``raw`` the id ``name``: nobody has to search for it."""
        if raw and name not in self._names:
            self._know(layout.SPACE_NAME, raw, name)

    def text(self, name: int) -> str | None:
        """The word that has the id ``name``; None where there is no such."""
        if name not in self._names:
            self.load()
        found = self._names.get(name)
        if found is None:
            return None
        space, raw = found
        return raw.decode("ascii") if space == layout.SPACE_TEXT else encode(raw)

    def _know(self, space: int, raw: bytes, name: int) -> None:
        self._ids[space, raw] = name
        self._names[name] = (space, raw)


def _units(space: int, raw: bytes) -> int:
    """Characters of policy's word for the name."""
    return len(raw) if space == layout.SPACE_TEXT else len(encode(raw))
