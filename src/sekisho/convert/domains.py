"""Domain policy of older versions as today's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sekisho.convert import names
from sekisho.convert.dialect import Dialect
from sekisho.convert.entries import Scope, entry, written_names
from sekisho.convert.overwriting import Overwriting
from sekisho.convert.remark import LeftOut, Line, Notes
from sekisho.convert.text import significant_words, text_lines

READ_GROUP, ENV_GROUP = 0, 1
"""The acl_groups that what every domain could do becomes: ``allow_read`` and ``allow_env`` of the exception policy."""

_KEPT: Final = ("use_profile", "quota_exceeded", "transition_failed")
_IGNORES: Final = {"ignore_global_allow_read": READ_GROUP, "ignore_global_allow_env": ENV_GROUP}


@dataclass(slots=True)
class _Facts:
    """What is said of one domain anywhere in the text."""

    ignored: set[int] = field(default_factory=set)
    groups: list[int] = field(default_factory=list)
    """The line numbers of its ``use_group``."""
    writes: list[str] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)


class Domains:
    """Converts one domain policy. ``needs_any_device`` is true afterwards if a line refers to that group."""

    def __init__(self, dialect: Dialect, notes: Notes, overwriting: Overwriting, *, lists_groups: bool = False) -> None:
        """``lists_groups``: a domain uses the groups that are listed, not one that is 0 by default."""
        self._scope = Scope(dialect, notes, overwriting)
        self._notes = notes
        self._dialect = dialect
        self._lists_groups = lists_groups or dialect in (Dialect.V26, Dialect.TODAY)
        self._facts: dict[str, _Facts] = defaultdict(_Facts)
        self._pending: list[Line] = []

    @property
    def needs_any_device(self) -> bool:
        """Whether a line refers to the group of that name."""
        return self._scope.needs_any_device

    def convert(self, text: str) -> Iterator[Line]:
        """The lines of today's domain policy."""
        self._gather(text)
        for number, raw in text_lines(text):
            self._notes.at(number, raw.strip())
            words = significant_words(raw)
            if words is None:
                yield from self._flush()
                yield self._notes.line(raw)
                continue
            try:
                yield from self._line(words, raw, number)
            except LeftOut as error:
                self._notes.left_out(error.reason, error.advice)
        yield from self._flush()

    def _gather(self, text: str) -> None:
        facts = _Facts()
        for number, raw in text_lines(text):
            words = significant_words(raw) or [""]
            if words[0] == "select":
                words = words[1:] or [""]
            if words[0].startswith("<"):
                facts = self._facts[" ".join(words)]
            elif words[0] in _IGNORES:
                facts.ignored.add(_IGNORES[words[0]])
            elif words[0] == "use_group":
                facts.groups.append(number)
            else:
                writes, rewrites = written_names(words)
                facts.writes += writes
                facts.rewrites += rewrites

    def _line(self, words: list[str], raw: str, number: int) -> Iterator[Line]:
        if words[0].startswith("<"):
            yield from self._flush()
            yield from self._header(words, raw)
            return
        if words[0] == "use_profile":
            yield self._notes.line(raw)
            yield from self._flush()
            return
        yield from self._flush()
        if words[0] == "use_group":
            self._check_group(number)
        if words[0] in ("select", "delete") and words[1:] and words[1].startswith("<"):
            self._enter(words[1:])
            yield self._notes.line(f"{words[0]} {self._scope.domain}" if self._dialect.has_allow_lines else raw)
        elif words[0] not in _IGNORES:
            yield from self._entry(words, raw)

    def _check_group(self, number: int) -> None:
        takes_one = self._dialect in (Dialect.V24, Dialect.V25) and not self._lists_groups
        if takes_one and number < max(self._facts[self._scope.domain].groups, default=0):
            raise LeftOut(f"a domain of TOMOYO {self._dialect} uses one group, the last that is named")

    def _entry(self, words: list[str], raw: str) -> Iterator[Line]:
        if not self._dialect.has_allow_lines or words[0] in _KEPT:
            yield self._notes.line(names.words(raw, self._dialect, self._notes))
            return
        prefix = "delete " if words[0] == "delete" else ""
        for line in entry(words[1:] if prefix else words, self._scope):
            yield self._notes.line(prefix + line)

    def _header(self, words: list[str], raw: str) -> Iterator[Line]:
        self._enter(words)
        yield self._notes.line(self._scope.domain if self._dialect.has_allow_lines else raw)
        facts = self._facts[" ".join(words)]
        if self._dialect.has_allow_lines:
            groups = [READ_GROUP, ENV_GROUP] if self._dialect is Dialect.V17 else [READ_GROUP]
            self._pending = [self._notes.line(f"use_group {group}") for group in groups if group not in facts.ignored]
        elif not self._lists_groups and not facts.groups:
            self._pending = [self._notes.line("use_group 0")]

    def _enter(self, words: list[str]) -> None:
        facts = self._facts[" ".join(words)]
        self._scope.writes, self._scope.rewrites = facts.writes, facts.rewrites
        self._scope.domain = " ".join(words)
        if self._dialect.has_allow_lines:
            self._scope.domain = names.domain(words, self._dialect, self._notes)

    def _flush(self) -> list[Line]:
        pending, self._pending = self._pending, []
        return pending
