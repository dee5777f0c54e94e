"""Maps in memory: what publishing has written, as the kernel would see it."""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Iterator

from sekisho.engine.lsm import layout


class MemoryMap:
    """A table; ``log`` says in which order tables were written to."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.contents: dict[bytes, bytes] = {}
        self.log = log

    def lookup(self, key: bytes, /) -> bytes | None:
        return self.contents.get(key)

    def update(self, key: bytes, value: bytes, condition: int = 0, /) -> None:
        if condition and key in self.contents:
            raise FileExistsError
        self.log.append(self.name)
        self.contents[key] = value

    def delete(self, key: bytes, /) -> bool:
        self.log.append(f"-{self.name}")
        return self.contents.pop(key, None) is not None

    def update_many(self, keys: bytes, values: bytes, /) -> None:
        size = KEYS.get(self.name, 4)
        count = len(keys) // size
        width = len(values) // count if count else 0
        for place in range(count):
            self.update(keys[place * size : (place + 1) * size], values[place * width : (place + 1) * width])

    def delete_many(self, keys: bytes, /) -> int:
        size = KEYS.get(self.name, 4)
        return sum(self.delete(keys[place : place + size]) for place in range(0, len(keys), size))

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        yield from list(self.contents.items())


KEYS = {
    "found": 8, "rules": 8, "clauses": 8, "ranges": 8, "intervals": 8, "children": 8, "namespaces": 8, "controls": 16,
    "pairs": ctypes.sizeof(layout.PairKey), "endpoints": ctypes.sizeof(layout.EndpointKey),
}  # fmt: skip


class MemoryCells:
    def __init__(self, log: list[str], size: int = 1 << 16) -> None:
        self.contents = [0] * size
        self.log = log

    def __len__(self) -> int:
        return len(self.contents)

    def write(self, origin: int, cells: bytes, /) -> None:
        self.log.append("cells")
        values = memoryview(cells).cast("B").cast("I")
        self.contents[origin : origin + len(values)] = list(values)


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
