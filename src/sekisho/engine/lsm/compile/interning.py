"""Ids in place of names: what the compiler asks of whoever keeps them, and a plain keeper.

A name is raw bytes; policy's text that isn't a literal, a pattern that a program goes by, has a space of its own.
"""

from __future__ import annotations

from typing import Protocol

from sekisho.engine.lsm.layout import KERNEL_DOMAIN, NAME_BYTES, SPACE_NAME, SPACE_TEXT
from sekisho.names.pattern import is_pattern
from sekisho.names.word import decode


class Interner(Protocol):
    """Gives ids, above 0, the same for the same name as long as it lives."""

    def name(self, raw: bytes, space: int) -> int:
        """The id of ``raw``, at most NAME_BYTES long, in SPACE_NAME or SPACE_TEXT."""
        ...

    def domain(self, name: str) -> int:
        """The id of the domain, be there one or not; all that it is below have theirs afterwards, too."""
        ...


class Ids:
    """Ids in the order in which they are first asked for; ``<kernel>`` has its own."""

    def __init__(self) -> None:
        self.names: dict[tuple[int, bytes], int] = {}
        """By space and bytes."""
        self.domains: dict[str, int] = {"<kernel>": KERNEL_DOMAIN}
        """By name; who is above comes before who is below, but for ``<kernel>``, the first of all."""

    def name(self, raw: bytes, space: int) -> int:
        """The id of ``raw``. Raises ValueError for a name too long to have one."""
        if len(raw) > NAME_BYTES:
            raise ValueError(f"a name has at most {NAME_BYTES} bytes, this one {len(raw)}")
        return self.names.setdefault((space, raw), len(self.names) + 1)

    def domain(self, name: str) -> int:
        """The id of the domain; all that it is below have theirs, too."""
        known = self.domains.get(name)
        if known is not None:
            return known
        above = name.rpartition(" ")[0]
        if above:
            self.domain(above)
        return self.domains.setdefault(name, len(self.domains) + 1)


def spelled(word: str) -> tuple[bytes, int]:
    """A word of policy as a name and its space: a literal is what it stands for, a pattern its own text."""
    return (word.encode(), SPACE_TEXT) if is_pattern(word) else (decode(word), SPACE_NAME)


def word_id(interner: Interner, word: str) -> int:
    """The id of a word of policy; 0 for one that is too long to be anybody's name."""
    raw, space = spelled(word)
    return interner.name(raw, space) if len(raw) <= NAME_BYTES else 0


def last_word(name: str) -> str:
    """The word that a domain adds to the one above it; of a namespace what stands between ``<`` and ``>``.

    So the name of a program is the same word below a domain and as a namespace.
    """
    above, _, last = name.rpartition(" ")
    return last if above else last[1:-1]
