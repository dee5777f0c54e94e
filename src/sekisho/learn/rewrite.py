"""The rewrite rules: names that change from run to run are learned as patterns (``rewrite.conf``).

::

    name PATTERN        components of a name like this are learned as this pattern
    chance PATTERN      the same, where what ``\\?`` covers looks drawn by chance: it has a digit or a capital
    port LOW-HIGH       a TCP or UDP port in this range is learned as the range

A PATTERN that begins with ``/`` or has a ``:`` in its first component covers names from their start, others cover
components anywhere. Earlier lines go first; a component is rewritten once. Empty lines and ``#`` comments are free.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sekisho.decide.numbers import parse_range
from sekisho.decide.request import Request
from sekisho.errors import PolicyError
from sekisho.learn.defaults import DEFAULT_REWRITE
from sekisho.learn.generaliser import Suggestion
from sekisho.learn.plain import write_down
from sekisho.learn.template import Template, TemplateError, parse_template
from sekisho.names.pattern import compile_pattern
from sekisho.names.word import is_correct_word
from sekisho.policy.model import Number

__all__ = ["DEFAULT_REWRITE", "RewriteRules"]

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class RewriteRules:
    """The rules of one ``rewrite.conf``; without any, everything is learned as it is."""

    templates: tuple[Template, ...] = ()
    ports: tuple[Number, ...] = ()
    _covered: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Most names are nothing to rewrite: one search tells that much faster than each template.
        covered = "|".join(template.expression for template in self.templates) or "(?!)"
        object.__setattr__(self, "_covered", re.compile(covered))

    @classmethod
    def parse(cls, text: str, source: str) -> RewriteRules:
        """The rules that ``text`` holds. Raises PolicyError, with every bad line, when some can't be understood."""
        templates: list[Template] = []
        ports: list[Number] = []
        errors: list[PolicyError] = []
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            try:
                rule = _parse_rule(line, words)
            except TemplateError as error:
                errors.append(PolicyError(source, number, error.offset + 1, error.message, error.hint))
                continue
            if isinstance(rule, Template):
                templates.append(rule)
            else:
                ports.append(rule)
        if errors:
            first = errors[0]
            raise PolicyError(source, first.line, first.column, first.message, first.hint, tuple(errors[1:]))
        return cls(tuple(templates), tuple(ports))

    def name(self, name: str) -> str:
        """``name`` as it is learned: itself, or a pattern that matches it and has as many components."""
        if not self._covered.search(name):
            return name
        components = name.split("/")
        taken: set[int] = set()
        for template in self.templates:
            template.lay(components, taken)
        if not taken:
            return name
        written = "/".join(components)
        return written if is_correct_word(written) and compile_pattern(written).matches(name) else name

    def apply(self, request: Request) -> Suggestion:
        """What is learned from ``request``."""
        return write_down(request, self.name, self._number)

    def _number(self, request: Request, value: int) -> Number | None:
        if not request.operation.keyword.startswith(("network inet stream", "network inet dgram")):
            return None
        return next((ports for ports in self.ports if ports.low <= value <= ports.high), None)


def _parse_rule(line: str, words: list[str]) -> Template | Number:
    """One line as a rule. Errors carry their offset in the line."""
    keyword = words[0]
    start = line.index(keyword)
    if keyword not in ("name", "chance", "port"):
        raise TemplateError(start, f"unknown rule {keyword}", "write name PATTERN, chance PATTERN or port LOW-HIGH")
    if len(words) != 2:
        extra = start if len(words) < 2 else line.index(words[2], line.index(words[1], start + len(keyword)) + 1)
        raise TemplateError(
            extra, f"{keyword} takes one word, not {len(words) - 1}", "write a space in a name as \\040"
        )
    start = line.index(words[1], start + len(keyword))
    if keyword == "port":
        return _parse_ports(words[1], start)
    try:
        return parse_template(words[1], by_chance=keyword == "chance")
    except TemplateError as error:
        raise TemplateError(start + error.offset, error.message, error.hint) from error


def _parse_ports(text: str, offset: int) -> Number:
    try:
        low, high = parse_range(text)
    except ValueError:
        low, high = 1, 0
    if not 0 <= low <= high <= _MAX_PORT:
        raise TemplateError(offset, f"{text} is not a range of ports", "write it as 32768-60999")
    return Number(text, low, high)
