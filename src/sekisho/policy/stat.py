"""The stat file: how often policy changed and was violated, and what memory it takes.

::

    Policy update:                                 5 (Last: 2026/11/22 22:53:03)
    Policy violation in learning mode:             0
    Memory used by policy:                   1234567 (Quota:   16777216)
    Total memory used:                       1234567

Times are seconds since 1970, UTC; they are given by whoever counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sekisho.policy.lines import LINE, Fault, read_lines
from sekisho.policy.model import Mode


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened, and when last (None: never)."""

    number: int = 0
    last: int | None = None

    def plus(self, number: int, at: int | None) -> Count:
        """This, and ``number`` times more, the last time ``at``."""
        times = [time for time in (self.last, at) if time is not None]
        return Count(self.number + number, max(times, default=None))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes used, and at most how many may be (0: any number)."""

    used: int = 0
    quota: int = 0


@dataclass(frozen=True, slots=True)
class Statistics:
    """Everything the stat file tells."""

    updates: Count = Count()
    learning: Count = Count()
    permissive: Count = Count()
    enforcing: Count = Count()
    policy_memory: Memory = Memory()
    audit_memory: Memory = Memory()
    query_memory: Memory = Memory()

    def updated(self, at: int) -> Statistics:
        """This, after one more change of policy."""
        return replace(self, updates=self.updates.plus(1, at))

    def violated(self, mode: Mode, at: int) -> Statistics:
        """This, after one more violation in ``mode``; disabled mode has none."""
        if mode is Mode.DISABLED:
            return self
        count: Count = getattr(self, mode.word)
        return replace(self, **{mode.word: count.plus(1, at)})  # type: ignore[arg-type]

    def plus(self, other: Statistics, *, since: Statistics | None = None) -> Statistics:
        """This, and what was counted from ``since`` (nothing if None) to ``other``.

        Memory is as ``other`` has it, but for quotas that nobody set since.
        """
        before = since or Statistics()
        changed: dict[str, Count | Memory] = {}
        for name in _COUNTS.values():
            mine, now, then = getattr(self, name), getattr(other, name), getattr(before, name)
            number = max(0, now.number - then.number)
            changed[name] = mine.plus(number, now.last if number else None)
        for name in _MEMORIES.values():
            memory, quota = getattr(other, name), getattr(self, name).quota
            is_set = since is None or memory.quota != getattr(since, name).quota
            changed[name] = memory if is_set else replace(memory, quota=quota)
        return replace(self, **changed)  # type: ignore[arg-type]


_COUNTS: Final = {
    "update:": "updates",
    "violation in learning mode:": "learning",
    "violation in permissive mode:": "permissive",
    "violation in enforcing mode:": "enforcing",
}
_MEMORIES: Final = {"policy:": "policy_memory", "audit log:": "audit_memory", "query message:": "query_memory"}

_COUNT_LINE: Final = re.compile(r"\s*Policy\s+(\S.*?:)\s*([0-9]{1,20})(?:\s*\(Last:\s*([0-9/]+\s+[0-9:]+)\s*\))?\s*")
_MEMORY_LINE: Final = re.compile(
    r"\s*Memory used by\s+(\S.*?:)\s*([0-9]{1,20})(?:\s*\(Quota:\s*([0-9]{1,20})\s*\))?\s*"
)
_TOTAL_LINE: Final = re.compile(r"\s*Total memory used:\s*[0-9]+\s*")
_TIME: Final = "%Y/%m/%d %H:%M:%S"


def print_stat(statistics: Statistics) -> str:
    """The stat file's text."""
    lines = []
    for header, name in _COUNTS.items():
        count: Count = getattr(statistics, name)
        last = "" if count.last is None else f" (Last: {_time_text(count.last)})"
        lines.append(f"Policy {header:<30} {count.number:>10}{last}\n")
    total = 0
    for header, name in _MEMORIES.items():
        memory: Memory = getattr(statistics, name)
        quota = f" (Quota: {memory.quota:>10})" if memory.quota else ""
        lines.append(f"Memory used by {header:<22} {memory.used:>10}{quota}\n")
        total += memory.used
    lines.append(f"Total memory used:                    {total:>10}\n")
    return "".join(lines)


def parse_stat(text: str, *, source: str = "stat.conf") -> Statistics:
    """What the stat file's text tells; what it doesn't mention is zero.

    Raises:
        PolicyError: the first wrong line, with the others in ``others``.
    """
    found: dict[str, Count | Memory] = {}

    def read(raw: str) -> None:
        if count := _COUNT_LINE.fullmatch(raw):
            name = _name(_COUNTS, count[1], count.start(1))
            found[name] = Count(int(count[2]), _seconds(count[3], count.start(3)) if count[3] else None)
        elif memory := _MEMORY_LINE.fullmatch(raw):
            found[_name(_MEMORIES, memory[1], memory.start(1))] = Memory(int(memory[2]), int(memory[3] or 0))
        elif not _TOTAL_LINE.fullmatch(raw):
            raise Fault(LINE, f"expected a line such as 'Policy update: 5', found {raw.strip()!r}", "remove it")

    read_lines(text, source, read)
    return replace(Statistics(), **found)  # type: ignore[arg-type]


def _name(names: dict[str, str], header: str, at: int) -> str:
    normalised = " ".join(header.split())
    if normalised not in names:
        raise Fault(LINE, f"unknown counter {normalised!r}", f"there are: {', '.join(names)}", at)
    return names[normalised]


def _time_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_TIME)


def _seconds(text: str, at: int) -> int:
    try:
        return int(datetime.strptime(" ".join(text.split()), _TIME).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise Fault(LINE, f"expected a time such as 2026/11/22 22:53:03, found {text!r}", "", at) from None
