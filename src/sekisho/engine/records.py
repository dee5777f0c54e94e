"""Audit records that nobody has read through the interface yet, and what records weigh."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Final

from sekisho.audit.values import Record

_BARE: Final = 2000
"""Bytes that a record without an image takes, about."""


def weight(record: Record) -> int:
    """The bytes of memory that ``record`` takes, about."""
    image = record.execution
    words = (*image.argv, *image.envp) if image is not None else ()
    return _BARE + sum(map(sys.getsizeof, words))


class RecordQueue:
    """Records in the order they came; what no longer fits is dropped (spec g.6)."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque()
        self.memory = 0
        """Bytes they take, about."""
        self.wake: Callable[[], None] = lambda: None
        """Called when a record has come in."""

    def __len__(self) -> int:
        return len(self._records)

    def put(self, record: Record, most: int, quota: int = 0) -> None:
        """``record`` waits to be read, unless ``most`` do already or ``quota`` bytes (0: any number) are used up."""
        size = weight(record)
        if len(self._records) >= most or (quota and self.memory + size > quota):
            return
        self._records.append(record)
        self.memory += size
        self.wake()

    def take(self) -> Record | None:
        """The oldest record, gone from the queue."""
        if not self._records:
            return None
        record = self._records.popleft()
        self.memory -= weight(record)
        return record
