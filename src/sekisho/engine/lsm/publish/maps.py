"""What publishing asks of the kernel's maps; ``kernel.maps`` is one such, a table in memory for tests another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol


class Map(Protocol):
    """One map; keys and values are bytes of its sizes."""

    def lookup(self, key: bytes) -> bytes | None:
        """The value at ``key``."""

    def update(self, key: bytes, value: bytes) -> None:
        """``key`` has ``value``, whatever it had."""

    def insert(self, key: bytes, value: bytes) -> bool:
        """``key`` has ``value``, unless it had one already, which is then kept: False."""

    def delete(self, key: bytes) -> bool:
        """``key`` has no value any more; whether it had one."""

    def update_batch(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Every key has its value; one system call where the kernel can."""

    def delete_batch(self, keys: Iterable[bytes]) -> None:
        """No key has a value any more, whether it had or not."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key that has a value, with it."""


class Cells(Protocol):
    """The map that automata are in, mapped into memory."""

    def __len__(self) -> int:
        """How many cells there are."""

    def write(self, origin: int, cells: Sequence[int]) -> None:
        """The cells from ``origin`` on are ``cells``."""


class Maps(Protocol):
    """Every map of the kernel side that policy goes into."""

    @property
    def tables(self) -> Mapping[str, Map]:
        """Those of keys and values, by name."""

    @property
    def cells(self) -> Cells:
        """That of automata."""

    def set_book(self, book: int) -> None:
        """``book`` holds from now on: one store."""

    def begin_book(self, book: int) -> None:
        """``book``, which doesn't hold, is about to be filled anew: its sequence grows."""

    def book(self) -> int:
        """Which book holds."""

    def settle(self) -> None:
        """Whatever looked at the maps before this call has finished."""
