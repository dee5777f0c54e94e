"""Matching without regular expressions, in time proportional to name times pattern whatever the pattern.

Each step carries the set of places that the pattern read so far can have reached.
"""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.names.components import OPERATORS, STARS, Component, Part
from sekisho.names.word import units


def matches_rest(rest: str, components: Sequence[Component]) -> bool:
    """True if ``rest``, a name without the pattern's literal prefix, matches ``components``.

    The caller has seen to it that name and pattern agree on ending in a slash.
    """
    names = [units(name) for name in rest.split("/")]
    last = len(names) - 1
    reached = {0}
    for index, component in enumerate(components):
        is_end = index == len(components) - 1
        if last in reached and not names[last]:  # nothing is left of the name, which no component compares with
            if is_end and component.is_optional:
                return True
            reached.discard(last)
        here = {place for place in reached if matches_component(names[place], component)}
        may_end = is_end or (index == len(components) - 2 and components[-1].is_optional)
        if last in here and may_end and not component.repeated:
            return True
        if is_end:
            return False
        reached = {place + 1 for place in here if place < last}
        if component.repeated:
            reached = _repeat(names, component, reached)
    return False


def _repeat(names: list[list[str]], component: Component, reached: set[int]) -> set[int]:
    """Every place reached by one or more of ``component``, given those reached by one."""
    waiting = list(reached)
    while waiting:
        place = waiting.pop()
        if place < len(names) - 1 and place + 1 not in reached and matches_component(names[place], component):
            reached.add(place + 1)
            waiting.append(place + 1)
    return reached


def matches_component(name: list[str], component: Component) -> bool:
    """True if ``name`` matches the first part of ``component`` and none of the others."""
    first, *subtracted = component.parts
    return _matches_part(name, first) and not any(_matches_part(name, part) for part in subtracted)


def _matches_part(name: list[str], part: Part) -> bool:
    reached = {0}
    for unit in part:
        allowed, many = OPERATORS.get(unit, (unit, False))
        reached = {place + 1 for place in reached if place < len(name) and _fits(name[place], unit, allowed)} | (
            reached if unit in STARS else set()
        )
        if many:
            for place in sorted(reached):
                while place < len(name) and place + 1 not in reached and _fits(name[place], unit, allowed):
                    place += 1
                    reached.add(place)
        if not reached:
            return False
    return len(name) in reached


def _fits(character: str, unit: str, allowed: str) -> bool:
    if unit not in OPERATORS:
        return character == unit
    if allowed == "any":
        return True
    if allowed == "any but .":
        return character != "."
    return character in allowed
