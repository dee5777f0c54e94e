"""Names and patterns with something attached to each, found by name without looking at them all.

Literal names are found by hash; patterns by their literal prefix and by their literal last components, of both of which
there are only as many lengths as patterns in use have. What is found comes in the order of the serial numbers given
when it was added.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar

from sekisho.names.pattern import Pattern, compile_pattern, is_pattern

T = TypeVar("T")
_NONE: Final[dict[int, Any]] = {}

serial_of = itemgetter(0)


def literal_tail(word: str) -> str:
    """The end of a pattern, from a slash on, that has no operator: what every matching name ends in."""
    components = word.split("/")
    first = len(components)
    while first > 1 and not is_pattern(components[first - 1]):
        first -= 1
    return "/" + "/".join(components[first:]) if first < len(components) else ""


class Buckets(Generic[T]):
    """A map from names and patterns to values, asked for all that match a name.

    ``literals`` maps a key (for names: the name itself) to its (serial, value) pairs in order.
    """

    __slots__ = ("_lengths", "_prefixes", "literals")

    def __init__(self) -> None:
        self.literals: dict[Hashable, list[tuple[int, T]]] = {}
        self._prefixes: dict[str, dict[int, dict[str, list[tuple[int, T, Pattern]]]]] = {}
        self._lengths: dict[int, int] = {}

    def add(self, word: str, serial: int, value: T) -> None:
        """Files ``value`` under the name or pattern ``word``."""
        if not is_pattern(word):
            self.add_literal(word, serial, value)
            return
        pattern = compile_pattern(word)
        tail = literal_tail(word)
        tails = self._prefixes.setdefault(pattern.prefix, {}).setdefault(len(tail), {})
        bucket = tails.setdefault(tail, [])
        insort(bucket, (serial, value, pattern), key=serial_of)
        length = len(pattern.prefix)
        self._lengths[length] = self._lengths.get(length, 0) + 1

    def add_literal(self, key: Hashable, serial: int, value: T) -> None:
        """Files ``value`` under ``key`` as it is."""
        insort(self.literals.setdefault(key, []), (serial, value), key=serial_of)

    def remove(self, word: str, serial: int) -> None:
        """Takes out what was added under ``word`` with ``serial``."""
        if not is_pattern(word):
            self.remove_literal(word, serial)
            return
        prefix = compile_pattern(word).prefix
        tail = literal_tail(word)
        tails = self._prefixes[prefix][len(tail)]
        tails[tail] = [item for item in tails[tail] if item[0] != serial]
        if not tails[tail]:
            del tails[tail]
        if not tails:
            del self._prefixes[prefix][len(tail)]
        if not self._prefixes[prefix]:
            del self._prefixes[prefix]
        length = len(prefix)
        self._lengths[length] -= 1
        if not self._lengths[length]:
            del self._lengths[length]

    def remove_literal(self, key: Hashable, serial: int) -> None:
        """Takes out what was added under ``key`` with ``serial``."""
        self.literals[key] = [item for item in self.literals[key] if item[0] != serial]
        if not self.literals[key]:
            del self.literals[key]

    @property
    def patterned(self) -> bool:
        """Whether any pattern is filed."""
        return bool(self._lengths)

    def patterns(self, name: str, before: int | None = None) -> list[tuple[int, T]]:
        """The values whose pattern matches ``name`` and whose serial is below ``before``, in no order."""
        found: list[tuple[int, T]] = []
        for length in self._lengths:
            for size, tails in self._prefixes.get(name[:length], _NONE).items():
                for serial, value, pattern in tails.get(name[len(name) - size :] if size else "", ()):
                    if before is not None and serial >= before:
                        break
                    if pattern.matches(name):
                        found.append((serial, value))
        return found

    def first(self, name: str) -> T | None:
        """The value that matches ``name`` with the lowest serial."""
        literal = self.literals.get(name)
        if not self._lengths:
            return literal[0][1] if literal else None
        found = self.patterns(name, literal[0][0] if literal else None)
        if found:
            return min(found, key=serial_of)[1]
        return literal[0][1] if literal else None
