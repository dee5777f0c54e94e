r"""Pathname patterns: ``/tmp/\*.txt``, ``/home/\{\*\}/\?\?``, ``/etc/\*\-shadow\-\*~``.

::

    \*  \@          any characters, none too; \@ without a dot
    \?              one character (an escape counts as one)
    \$ \X \A        one or more decimal digits, hexadecimal digits, letters
    \+ \x \a        exactly one of them
    A\-B            within a component: A, but not B
    /\{D\}/         one or more directories D/

No operator matches a slash. The meaning is TOMOYO's, its oddities included:

* the literal prefix is compared first and cut off, so a ``\-`` in the same component compares what is left of the
  name: ``/tmp/ab\*\-abc`` matches ``/tmp/abc``;
* a last component of nothing but ``\*`` and ``\@`` may be missing together with its slash: ``/\*/\*`` matches ``/a``;
* nothing left after the prefix matches nothing but ``\*`` and ``\@``: ``/tmp/ab\*\-c`` doesn't match ``/tmp/ab``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from sekisho.names.components import OPERATORS, Component, Part, literal_prefix, split_components
from sekisho.names.direct import matches_rest

_ANY: Final = r"(?:[^/\\]|\\(?:\\|[0-3][0-7][0-7]))"
_ANY_RUN: Final = r"[^/\\]*(?:\\(?:\\|[0-3][0-7][0-7])[^/\\]*)*"
_NO_DOT_RUN: Final = r"[^./\\]*(?:\\(?:\\|[0-3][0-7][0-7])[^./\\]*)*"

_EXPRESSIONS: Final = {
    r"\?": _ANY,
    r"\+": "[0-9]",
    r"\x": "[0-9A-Fa-f]",
    r"\a": "[A-Za-z]",
    r"\*": _ANY_RUN,
    r"\@": _NO_DOT_RUN,
    r"\$": "[0-9]+",
    r"\X": "[0-9A-Fa-f]+",
    r"\A": "[A-Za-z]+",
}

_MAX_RUNS: Final = 2
"""With more variable operators in one part a backtracking matcher can take time cubic in the name and worse."""


class Pattern:
    """A name or pattern, ready to compare names with.

    ``prefix`` is what every matching name begins with: the text before the first operator.
    """

    __slots__ = ("_match", "is_pattern", "prefix", "text")

    def __init__(self, text: str) -> None:
        """``text`` is a correct word (empty counts as the literal empty name)."""
        self.text: Final = text
        self.prefix: Final = literal_prefix(text)
        self.is_pattern: Final = len(self.prefix) < len(text)
        self._match: Callable[[str], object] | None = None if self.is_pattern else text.__eq__

    def matches(self, name: str) -> bool:
        """True if ``name``, an encoded name, is the literal or matches the pattern."""
        if self._match is None:  # compiling takes longer than all else: only for names that get so far
            if not name.startswith(self.prefix):
                return False
            self._match = _matcher(self.text, self.prefix)
        return bool(self._match(name))

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


def is_pattern(word: str) -> bool:
    """True if ``word`` holds an operator, so that it may match other names than itself."""
    return len(literal_prefix(word)) < len(word)


@lru_cache(maxsize=65536)
def compile_pattern(word: str) -> Pattern:
    """The pattern (or literal) ``word`` ready for use; the same object for the same word while it is remembered."""
    return Pattern(word)


def _matcher(text: str, prefix: str) -> Callable[[str], object]:
    components = split_components(text[len(prefix) :])
    if all(_runs(part) <= _MAX_RUNS for component in components for part in component.parts):
        return re.compile(_expression(prefix, components)).fullmatch
    ends_in_slash = text.endswith("/")

    def match(name: str) -> bool:
        if name.endswith("/") is not ends_in_slash or not name.startswith(prefix):
            return False
        return matches_rest(name[len(prefix) :], components)

    return match


def _runs(part: Part) -> int:
    return sum(OPERATORS[unit][1] for unit in part if unit in OPERATORS)


def _expression(prefix: str, components: tuple[Component, ...]) -> str:
    """The regular expression whose full match is the pattern's match."""
    *before, last = components
    ends_in_slash = last.parts == ((),)
    rest = "".join(_directory(component) for component in before)
    final = _component(last)
    if before and last.is_optional and not ends_in_slash and not before[-1].repeated:
        rest = f"{rest[:-1]}(?:/{final})?"
    else:
        rest += final
    if not ends_in_slash:
        rest += "(?<!/)"
    something_left = "" if len(components) == 1 and last.is_optional else r"(?!\Z)"
    return re.escape(prefix) + something_left + rest


def _directory(component: Component) -> str:
    return f"(?:{_component(component)}/)+" if component.repeated else f"{_component(component)}/"


def _component(component: Component) -> str:
    first, *subtracted = ("".join(map(_unit, part)) for part in component.parts)
    return "".join(rf"(?!{part}(?:/|\Z))" for part in subtracted) + first


def _unit(unit: str) -> str:
    return _EXPRESSIONS.get(unit) or re.escape(unit)
