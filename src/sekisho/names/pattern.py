r"""Pathname patterns: ``/tmp/\*.txt``, ``/home/\{\*\}/\?\?``, ``/etc/\*\-shadow\-\*~``.

::

    \*  \@          any characters, none too; \@ without a dot
    \?              one character (an escape counts as one)
    \$ \X \A        one or more decimal digits, hexadecimal digits, letters
    \+ \x \a        exactly one of them
    A\-B            within a component: A, but not B
    /\{D\}/         one or more directories D/

No operator matches a slash, and matching takes time linear in the name. The meaning is TOMOYO's, its oddities included:

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

from sekisho.names.components import Component, Part, literal_prefix, split_components
from sekisho.names.direct import rest_matcher

_ANY: Final = r"(?:[^/\\]|\\(?:\\|[0-3][0-7][0-7]))"
_NO_DOT: Final = r"(?:[^./\\]|\\(?:\\|[0-3][0-7][0-7]))"

_EXPRESSIONS: Final = {
    r"\?": _ANY,
    r"\+": "[0-9]",
    r"\x": "[0-9A-Fa-f]",
    r"\a": "[A-Za-z]",
    r"\*": r"[^/\\]*(?:\\(?:\\|[0-3][0-7][0-7])[^/\\]*)*",
    r"\@": r"[^./\\]*(?:\\(?:\\|[0-3][0-7][0-7])[^./\\]*)*",
    r"\$": "[0-9]+",
    r"\X": "[0-9A-Fa-f]+",
    r"\A": "[A-Za-z]+",
}
_SHORTEST: Final = {
    r"\*": f"{_ANY}*?",
    r"\@": f"{_NO_DOT}*?",
    r"\$": "[0-9]+?",
    r"\X": "[0-9A-Fa-f]+?",
    r"\A": "[A-Za-z]+?",
}


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
    if is_plain(components):
        return re.compile(_expression(prefix, components)).fullmatch
    ends_in_slash = text.endswith("/")
    matches_rest = rest_matcher(components)

    def match(name: str) -> bool:
        if name.endswith("/") is not ends_in_slash or not name.startswith(prefix):
            return False
        return matches_rest(name[len(prefix) :])

    return match


def is_plain(components: tuple[Component, ...]) -> bool:
    r"""True if a regular expression takes linear time for these components.

    That is so where it never has a choice that matters later: at most one component repeats, so that what follows is
    compared once from each slash; and in each part the variable operators after the first are ``\*``, so that what
    stands before one is best found as early as can be, for good. What remains to go back to is the end of a part's last
    row, and each other end fails at once, for it isn't at a slash.
    """
    if sum(component.repeated for component in components) > 1:
        return False
    return all(
        unit == r"\*" for component in components for part in component.parts for unit in _variable_operators(part)[1:]
    )


def _variable_operators(part: Part) -> list[str]:
    return [unit for unit in part if unit in _SHORTEST]


def _expression(prefix: str, components: tuple[Component, ...]) -> str:
    """The regular expression whose full match is the pattern's match."""
    *before, last = components
    ends_in_slash = last.parts == ((),)
    rest = "".join(map(_directory, before))
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
    first, *subtracted = map(_part, component.parts)
    return "".join(rf"(?!{part}(?:/|\Z))" for part in subtracted) + first


def _part(part: Part) -> str:
    """What stands from a variable operator to the next is an atom: once found it stays where it is."""
    expression, atom = "", ""
    left = len(_variable_operators(part))
    for unit in part:
        if unit not in _SHORTEST:
            atom += _EXPRESSIONS.get(unit) or re.escape(unit)
            continue
        expression += f"(?>{atom})" if expression else atom
        left -= 1
        atom = _SHORTEST[unit] if left else _EXPRESSIONS[unit]
    return expression + atom
