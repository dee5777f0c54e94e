"""The pattern rules once more, as plainly as possible and slowly: what the two matchers are measured against.

It walks the texts character by character and tries every length of every operator, sharing nothing with the sources.
"""

import re


def matches(name: str, pattern: str) -> bool:
    literal = re.match(r"(?:[^\\]|\\\\|\\[0-3][0-7][0-7])*", pattern)
    assert literal is not None
    length = literal.end()
    if length == len(pattern):
        return name == pattern
    if name.endswith("/") != pattern.endswith("/") or name[:length] != pattern[:length]:
        return False
    return _path(name[length:], pattern[length:])


def _path(name: str, pattern: str) -> bool:
    while name and pattern:
        head, slash, tail = name.partition("/")
        wanted, _, pattern_tail = pattern.partition("/")
        if wanted.startswith("\\{"):
            inner = wanted[2:-2]
            while slash and _component(head, inner):
                if _path(tail, pattern_tail):
                    return True
                head, slash, tail = tail.partition("/")
            return False
        if not _component(head, wanted):
            return False
        name, pattern = tail, pattern_tail
    return not name and re.fullmatch(r"(?:\\[*@])*", pattern) is not None


def _component(name: str, pattern: str) -> bool:
    parts = [""]
    for unit in _units(pattern):
        if unit == "\\-":
            parts.append("")
        else:
            parts[-1] += unit
    return _part(_units(name), _units(parts[0])) and not any(_part(_units(name), _units(p)) for p in parts[1:])


def _units(text: str) -> list[str]:
    return re.findall(r"\\[0-3][0-7][0-7]|\\.|[^\\]", text)


_ONE = {"\\?": r"(?s).+", "\\+": "[0-9]", "\\x": "[0-9a-fA-F]", "\\a": "[a-zA-Z]"}
_SOME = {"\\$": "[0-9]", "\\X": "[0-9a-fA-F]", "\\A": "[a-zA-Z]"}
_MANY = {"\\*": r"(?s).+", "\\@": r"[^.]+"}


def _part(name: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not name
    first, rest = pattern[0], pattern[1:]
    kind = _ONE.get(first) or _SOME.get(first) or _MANY.get(first)
    if kind is None:
        return name[:1] == [first] and _part(name[1:], rest)
    least = 0 if first in _MANY else 1
    most = 1 if first in _ONE else len(name)
    return any(
        all(re.fullmatch(kind, unit) for unit in name[:count]) and _part(name[count:], rest)
        for count in range(least, most + 1)
        if count <= len(name)
    )
