r"""Matching that takes time linear in the name, whatever the pattern: nothing is ever tried twice.

A set of places is one integer, bit *i* for "after *i* characters". Going over one operator moves all places at once
with a few integer operations, so that matching a component takes one such step for each character of the pattern, and
each component of a pattern is compared with each component of the name at most once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from sekisho.names.components import OPERATORS, STARS, Component, Part

Matcher = Callable[[str], bool]

_ESCAPE: Final = re.compile(r"\\(\\|[0-3][0-7][0-7])")


def rest_matcher(components: Sequence[Component]) -> Matcher:
    """Tells whether a name without the pattern's literal prefix matches ``components``.

    Whoever calls it has seen to it that name and pattern agree on ending in a slash.
    """
    steps = [(component_matcher(component), component.repeated) for component in components]
    last_is_optional = components[-1].is_optional

    def match(rest: str) -> bool:
        names = _single_characters(rest).split("/")
        count = len(names)
        is_used_up = not names[-1]  # nothing is left of the name after its last slash: no component compares with that
        if is_used_up:
            names.pop()
        reached = {0}
        for left, (matches, repeated) in zip(range(len(steps) - 1, -1, -1), steps, strict=True):
            if left == 0 and last_is_optional and is_used_up and count - 1 in reached:
                return True
            passed = _passed(names, matches, reached, repeated=repeated)
            if count in passed:
                if not repeated and (left == 0 or (left == 1 and last_is_optional)):
                    return True
                passed.remove(count)
            reached = passed
        return False

    return match


def _passed(names: Sequence[str], matches: Matcher, reached: set[int], *, repeated: bool) -> set[int]:
    """The places after one component that ``matches`` (or, ``repeated``, several in a row), from those ``reached``."""
    passed = set()
    for start in sorted(reached):
        place = start
        while place < len(names) and place + 1 not in passed and matches(names[place]):
            place += 1
            passed.add(place)
            if not repeated:
                break
    return passed


def component_matcher(component: Component) -> Matcher:
    """Tells whether a name (escapes as single characters) matches the first part and none of the others."""
    first, *subtracted = map(_part_matcher, component.parts)
    if not subtracted:
        return first
    return lambda name: first(name) and not any(part(name) for part in subtracted)


def _part_matcher(part: Part) -> Matcher:
    """Compares the literal text at both ends at once, and what is between step by step."""
    operators = [place for place, unit in enumerate(part) if unit in OPERATORS]
    if not operators:
        return _single_characters("".join(part)).__eq__
    head = _single_characters("".join(part[: operators[0]]))
    tail = _single_characters("".join(part[operators[-1] + 1 :]))
    middle = tuple(map(_single_characters, part[operators[0] : operators[-1] + 1]))
    least = len(head) + len(tail)

    def match(name: str) -> bool:
        if len(name) < least or not name.startswith(head) or not name.endswith(tail):
            return False
        return middle == (r"\*",) or _spans(name[len(head) : len(name) - len(tail)], middle)

    return match


def _spans(name: str, part: Part) -> bool:
    """True if ``part`` matches all of ``name``."""
    end = 1 << len(name)
    masks: dict[str, int] = {}
    reached = 1
    for unit in part:
        if not reached:
            return False
        mask = masks.get(unit)
        if mask is None:
            mask = masks[unit] = _places(name, unit)
        reached = step(reached, mask, unit)
    return bool(reached & end)


def step(reached: int, fitting: int, unit: str) -> int:
    """The places reached over ``unit`` from those ``reached``, where the characters at places ``fitting`` fit it."""
    _, many = OPERATORS.get(unit, ("", False))
    if unit not in STARS:
        reached = (reached & fitting) << 1
    if many:  # a carry runs through each row of fitting characters and turns its bits over on the way
        reached |= ((reached & fitting) + fitting) ^ fitting
    return reached


def _places(name: str, unit: str) -> int:
    """Where the characters stand in ``name`` that fit ``unit``."""
    if not name:
        return 0
    allowed, _ = OPERATORS.get(unit, ("", False))
    if allowed == "any":
        return (1 << len(name)) - 1
    return int(name[::-1].translate(_table(unit)), 2)


class _Table(dict[int, str]):
    """``1`` for the characters that fit, and for any other what ``missing`` says."""

    def __init__(self, characters: str, fit: str, missing: str) -> None:
        super().__init__((ord(character), fit) for character in characters)
        self._missing = missing

    def __missing__(self, character: int) -> str:
        return self._missing


@lru_cache(maxsize=1024)
def _table(unit: str) -> _Table:
    allowed, _ = OPERATORS.get(unit, (unit, False))
    if allowed == "any but .":
        return _Table(".", "0", "1")
    return _Table(allowed, "1", "0")


def _single_characters(text: str) -> str:
    r"""``text`` with each escape (``\\``, ``\ooo``) as one character of its own; operators stay as they are."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_single_character, text)


def _single_character(escape: re.Match[str]) -> str:
    code = escape[1]
    return "\0" if code == "\\" else chr(0x100 + int(code, 8))
