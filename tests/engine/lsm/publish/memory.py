"""Maps in memory: what publishing has written, as the kernel would see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence


class MemoryMap:
    """A table; ``log`` says in which order tables were written to."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.contents: dict[bytes, bytes] = {}
        self.log = log

    def lookup(self, key: bytes) -> bytes | None:
        return self.contents.get(key)

    def update(self, key: bytes, value: bytes) -> None:
        self.log.append(self.name)
        self.contents[key] = value

    def insert(self, key: bytes, value: bytes) -> bool:
        if key in self.contents:
            return False
        self.update(key, value)
        return True

    def delete(self, key: bytes) -> bool:
        self.log.append(f"-{self.name}")
        return self.contents.pop(key, None) is not None

    def update_batch(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        for key, value in zip(keys, values, strict=True):
            self.update(key, value)

    def delete_batch(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self.delete(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        yield from list(self.contents.items())


class MemoryCells:
    def __init__(self, log: list[str], size: int = 1 << 16) -> None:
        self.contents = [0] * size
        self.log = log

    def __len__(self) -> int:
        return len(self.contents)

    def write(self, origin: int, cells: Sequence[int]) -> None:
        self.log.append("cells")
        self.contents[origin : origin + len(cells)] = cells


class MemoryMaps:
    def __init__(self) -> None:
        self.log: list[str] = []
        self.tables: dict[str, MemoryMap] = _Tables(self.log)
        self.cells = MemoryCells(self.log)
        self.current = 0
        self.sequence = [0, 0]

    def set_book(self, book: int) -> None:
        self.log.append("book")
        self.current = book

    def begin_book(self, book: int) -> None:
        self.sequence[book] += 1

    def book(self) -> int:
        return self.current

    def settle(self) -> None:
        self.log.append("settle")


class _Tables(defaultdict[str, MemoryMap]):
    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self._log = log

    def __missing__(self, name: str) -> MemoryMap:
        found = self[name] = MemoryMap(name, self._log)
        return found
