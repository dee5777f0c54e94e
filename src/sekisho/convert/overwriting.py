"""``deny_rewrite`` and ``allow_rewrite``: overwriting is ``file write`` today, and ``file append`` is apart from it.

A name that a ``deny_rewrite`` may cover is granted ``file append`` only, unless an ``allow_rewrite`` of the domain is
known to cover it: where patterns can't be compared, the converted policy grants less, and a remark says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from sekisho.names.components import literal_prefix
from sekisho.names.pattern import compile_pattern, is_pattern
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

    def is_denied(self, name: str) -> Covered:
        """Whether ``deny_rewrite`` covers ``name``."""
        return self.covered(name, self.denied)

    def covered(self, name: str, patterns: list[str]) -> Covered:
        """Whether ``patterns`` (or groups) cover ``name`` (or pattern, or group)."""
        texts = [member for pattern in patterns for member in self._members(pattern)]
        answers = {self._text_covered(member, texts) for member in self._members(name)}
        if len(answers) == 1:
            return answers.pop()
        return Covered.UNKNOWN if answers else Covered.NO

    def _members(self, name: str) -> list[str]:
        return self.groups.get(name[1:], []) if name.startswith("@") else [name]

    @staticmethod
    def _text_covered(name: str, patterns: list[str]) -> Covered:
        if name in patterns:
            return Covered.YES
        patterns = [pattern for pattern in patterns if is_correct_word(pattern)]
        if not is_pattern(name):
            is_covered = any(compile_pattern(pattern).matches(name) for pattern in patterns)
            return Covered.YES if is_covered else Covered.NO
        return Covered.UNKNOWN if any(_may_meet(name, pattern) for pattern in patterns) else Covered.NO


def _may_meet(one: str, other: str) -> bool:
    """False where no name matches both patterns, going by what they begin and end with."""
    if one.endswith("/") is not other.endswith("/"):
        return False
    first, second = literal_prefix(one), literal_prefix(other)
    return first.startswith(second) or second.startswith(first)
