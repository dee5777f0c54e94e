"""``deny_rewrite`` and ``allow_rewrite``: overwriting is ``file write`` today, and ``file append`` is apart from it.

A name that a ``deny_rewrite`` may cover is granted ``file append`` only, unless an ``allow_rewrite`` of the domain is
known to cover it: where patterns can't be compared, the converted policy grants less, and a remark says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from sekisho.names.components import literal_prefix
from sekisho.names.pattern import Pattern, compile_pattern, is_pattern
from sekisho.names.word import is_correct_word


class Covered(Enum):
    """Whether patterns cover a name, or everything that a pattern or group covers."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Overwriting:
    """What the exception policy says of overwriting, and the groups that names refer to; names are as written."""

    denied: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    _denied: list[Pattern] | None = field(default=None, init=False, repr=False)

    def is_denied(self, name: str) -> Covered:
        """Whether ``deny_rewrite`` covers ``name``; all of ``denied`` is known by then."""
        if self._denied is None:
            self._denied = self._patterns(self.denied)
        return self._covered(name, self._denied)

    def covered(self, name: str, patterns: list[str]) -> Covered:
        """Whether ``patterns`` (or groups) cover ``name`` (or pattern, or group)."""
        return self._covered(name, self._patterns(patterns))

    def _covered(self, name: str, patterns: list[Pattern]) -> Covered:
        answers = {_text_covered(member, patterns) for member in self._members(name)}
        if len(answers) == 1:
            return answers.pop()
        return Covered.UNKNOWN if answers else Covered.NO

    def _patterns(self, texts: list[str]) -> list[Pattern]:
        """Those among ``texts`` and the members of groups that today's language has."""
        members = (member for text in texts for member in self._members(text))
        return [compile_pattern(member) for member in members if is_correct_word(member)]

    def _members(self, name: str) -> list[str]:
        return self.groups.get(name[1:], []) if name.startswith("@") else [name]


def _text_covered(name: str, patterns: list[Pattern]) -> Covered:
    if not is_pattern(name):
        return Covered.YES if any(pattern.matches(name) for pattern in patterns) else Covered.NO
    if any(pattern.text == name for pattern in patterns):
        return Covered.YES
    return Covered.UNKNOWN if any(_may_meet(name, pattern) for pattern in patterns) else Covered.NO


def _may_meet(one: str, other: Pattern) -> bool:
    """False where no name matches both patterns, going by what they begin and end with."""
    if one.endswith("/") is not other.text.endswith("/"):
        return False
    first, second = literal_prefix(one), other.prefix
    return first.startswith(second) or second.startswith(first)
