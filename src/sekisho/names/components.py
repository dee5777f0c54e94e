"""A pattern taken apart: the literal prefix, then components between slashes, each a list of parts.

Both ways to match (``direct``, and the regular expressions of ``pattern``) start from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sekisho.names.word import units

OPERATORS: Final[dict[str, tuple[str, bool]]] = {
    r"\?": ("any", False),
    r"\+": ("0123456789", False),
    r"\x": ("0123456789ABCDEFabcdef", False),
    r"\a": ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", False),
    r"\*": ("any", True),
    r"\@": ("any but .", True),
    r"\$": ("0123456789", True),
    r"\X": ("0123456789ABCDEFabcdef", True),
    r"\A": ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", True),
}
r"""Operator to what one character may be, and whether it takes more than one.

``any`` and ``any but .`` with more than one also take none.
"""

STARS: Final = frozenset({r"\*", r"\@"})
"""The operators that match nothing too."""

Part = tuple[str, ...]
"""Literal characters (escapes kept whole) and operators."""


@dataclass(frozen=True, slots=True)
class Component:
    r"""What stands between two slashes: matches ``parts[0]`` and none of the further ``parts`` (``A\-B\-C``).

    ``repeated`` is true for ``\{…\}``: one or more components in a row, each followed by a slash.
    """

    parts: tuple[Part, ...]
    repeated: bool = False

    @property
    def is_optional(self) -> bool:
        r"""True if it consists of ``\*`` and ``\@`` only (or of nothing)."""
        return not self.repeated and len(self.parts) == 1 and STARS.issuperset(self.parts[0])


def literal_prefix(word: str) -> str:
    """The part of ``word`` before its first operator; the whole word if there is none."""
    if "\\" not in word:
        return word
    length = 0
    for unit in units(word):
        if unit[0] == "\\" and unit[1:2] not in ("\\", "0", "1", "2", "3"):
            break
        length += len(unit)
    return word[:length]


def split_components(rest: str) -> tuple[Component, ...]:
    """The components of what follows a pattern's literal prefix."""
    return tuple(_component(text) for text in rest.split("/"))


def _component(text: str) -> Component:
    repeated = text.startswith(r"\{")
    body = units(text[2:-2] if repeated else text)
    parts: list[list[str]] = [[]]
    for unit in body:
        part = parts[-1]
        if unit == r"\-":
            parts.append([])
        elif unit in STARS and part and part[-1] in STARS:
            part[-1] = unit if unit == part[-1] else r"\*"  # a row of stars is as wide as its widest
        else:
            part.append(unit)
    return Component(tuple(map(tuple, parts)), repeated)
