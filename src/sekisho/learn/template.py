r"""One pattern of the rewrite rules, ready to be laid over names.

A template covers whole components of a name. What ``\*`` and ``\@`` cover is written down as it is in the name, so
that no template can open a directory; the other operators are written down themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sekisho.names.word import is_correct_word, units

_COPIED: Final = {r"\*": r"((?:[^/\\]|\\\\|\\[0-3][0-7][0-7])*)", r"\@": r"((?:[^./\\]|\\\\|\\[0-3][0-7][0-7])*)"}
_WRITTEN: Final = {
    # As mktemp(3), Python's tempfile and Perl's File::Temp make names.
    r"\?": "([A-Za-z0-9_])",
    r"\+": "([0-9])",
    r"\x": "([0-9A-Fa-f])",
    r"\a": "([A-Za-z])",
    r"\$": "([0-9]+)",
    r"\X": "([0-9A-Fa-f]+)",
    r"\A": "([A-Za-z]+)",
}
_NEVER: Final = (r"\-", r"\{", r"\}")
_CHANCE: Final = re.compile("[A-Z0-9]")


class TemplateError(ValueError):
    """The template can't be used; ``offset`` is where in its text."""

    def __init__(self, offset: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a template: a literal when ``expression`` is None, else what it matches and writes."""

    text: str
    expression: re.Pattern[str] | None
    operators: tuple[str, ...]

    @property
    def writes(self) -> bool:
        """Whether something else than the name's own text is written."""
        return any(operator in _WRITTEN for operator in self.operators)

    def rewrite(self, component: str, by_chance: bool) -> str | None:
        """The component as it is written down, or None when the part doesn't cover it."""
        if self.expression is None:
            return component if component == self.text else None
        match = self.expression.fullmatch(component)
        if match is None:
            return None
        drawn = "".join(
            text for text, operator in zip(match.groups(), self.operators, strict=True) if operator == r"\?"
        )
        if by_chance and drawn and not _CHANCE.search(drawn):
            return None
        covered = iter(match.groups())
        return "".join(
            _written(unit, next(covered)) if unit in _COPIED or unit in _WRITTEN else unit for unit in units(self.text)
        )


def _written(operator: str, covered: str) -> str:
    return covered if operator in _COPIED else operator


@dataclass(frozen=True, slots=True)
class Template:
    """Components that follow each other, from the start of a name (``anchored``) or anywhere in it.

    ``inside`` means that something has to follow: the last component is a directory.
    """

    parts: tuple[Part, ...]
    anchored: bool
    inside: bool
    by_chance: bool

    @property
    def expression(self) -> str:
        """A regular expression found in every name that the template covers part of."""
        parts = "/".join(
            re.escape(part.text) if part.expression is None else part.expression.pattern for part in self.parts
        )
        return f"{'^' if self.anchored else '(?:^|/)'}{parts}{'/' if self.inside else '(?:/|$)'}"

    def lay(self, components: list[str], taken: set[int]) -> None:
        """Rewrites ``components`` wherever the template covers some; those in ``taken`` stay, new ones join them."""
        last = len(components) - len(self.parts) - (1 if self.inside else 0)
        for start in range(min(last, 0) + 1 if self.anchored else last + 1):
            written = self._cover(components, start, taken)
            if written is None:
                continue
            components[start : start + len(written)] = written
            taken.update(start + offset for offset, part in enumerate(self.parts) if part.writes)

    def _cover(self, components: list[str], start: int, taken: set[int]) -> list[str] | None:
        written = []
        for position, part in enumerate(self.parts, start):
            if part.writes and position in taken:
                return None
            text = part.rewrite(components[position], self.by_chance)
            if text is None:
                return None
            written.append(text)
        return written


def parse_template(text: str, *, by_chance: bool) -> Template:
    """The template that ``text`` writes. Raises TemplateError."""
    if not is_correct_word(text):
        raise TemplateError(0, f"{text} is not a correct name or pattern", "write bytes outside 0x21-0x7e as \\ooo")
    components = text.split("/")
    inside = len(components) > 1 and not components[-1]
    if inside:
        components.pop()
    offset = 0
    parts = []
    for component in components:
        parts.append(_part(component, offset))
        offset += len(component) + 1
    if not any(part.writes for part in parts):
        raise TemplateError(0, f"{text} would leave names as they are", r"write what varies as \?, \$, \x, \X or \a")
    return Template(tuple(parts), text.startswith("/") or ":" in components[0], inside, by_chance)


def _part(component: str, offset: int) -> Part:
    expression = ""
    operators: list[str] = []
    literal = False
    for unit in units(component):
        if unit in _NEVER:
            raise TemplateError(offset, f"{unit} has no meaning in a rewrite rule", "say what varies without it")
        if unit in _COPIED or unit in _WRITTEN:
            operators.append(unit)
            expression += _COPIED.get(unit) or _WRITTEN[unit]
        else:
            literal = True
            expression += re.escape(unit)
        offset += len(unit)
    if not operators:
        return Part(component, None, ())
    if not literal and r"\A" in operators:
        raise TemplateError(
            offset - len(component), f"{component} would open a whole directory", r"add literal text, or use \a"
        )
    return Part(component, re.compile(expression), tuple(operators))
