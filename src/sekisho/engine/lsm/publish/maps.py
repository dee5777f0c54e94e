"""What publishing asks of the kernel's maps; ``kernel.maps`` is one such, a table in memory for tests another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

NEW: Final = 1
"""The condition that a key has no value yet."""


class Map(Protocol):
    """One map; keys and values are bytes of its sizes."""

    def lookup(self, key: bytes, /) -> bytes | None:
        """The value at ``key``."""

    def update(self, key: bytes, value: bytes, condition: int = 0, /) -> None:
        """``key`` has ``value``. Raises FileExistsError where it had one already and has to be NEW."""

    def delete(self, key: bytes, /) -> bool:
        """``key`` has no value any more; whether it had one."""

    def update_many(self, keys: bytes, values: bytes, /) -> None:
        """Every key has its value; each packed one behind the other."""

    def delete_many(self, keys: bytes, /) -> int:
        """No key, packed one behind the other, has a value any more; how many had one."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key that has a value, with it."""


class Cells(Protocol):
    """The map that automata are in, mapped into memory."""

    def __len__(self) -> int:
        """How many cells there are."""

    def write(self, origin: int, cells: bytes, /) -> None:
        """The cells from ``origin`` on are these, four bytes each."""


class Maps(Protocol):
    """Every map of the kernel side that policy goes into."""

    @property
    def tables(self) -> Mapping[str, Map]:
        """Those of keys and values, by name."""

    @property
    def cells(self) -> Cells:
        """That of automata."""

    def book(self) -> int:
        """Which book holds."""

    def begin_book(self, book: int) -> None:
        """``book``, which doesn't hold, is about to be filled anew: its sequence grows."""

    def set_book(self, book: int) -> None:
        """``book`` holds from now on: one store."""

    def settle(self) -> None:
        """Whatever looked at the maps before this call has finished."""


def insert(table: Map, key: bytes, value: bytes) -> bool:
    """``key`` has ``value``, unless it had one already, which it then keeps: False."""
    try:
        table.update(key, value, NEW)
    except FileExistsError:
        return False
    return True
