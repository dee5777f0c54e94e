"""What the reader of a converted policy has to know: lines that were left out, that mean something else, or are new."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sekisho.convert.text import in_ascii, printable


class Fate(StrEnum):
    """What became of a line."""

    LEFT_OUT = "left out"
    CHANGED = "changed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Remark:
    """What became of one line, why, and what to do about it. ``line`` counts from 1; 0 speaks of the file."""

    file: str
    line: int
    fate: Fate
    text: str
    reason: str
    advice: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        advice = f"; {self.advice}" if self.advice else ""
        return printable(f"{place}: {self.fate}: {self.text}: {self.reason}{advice}")


class LeftOut(Exception):
    """The line can't be written in today's language, for ``reason``; ``advice`` says what to do instead."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Line:
    """One line of converted text, and the line it was made of."""

    text: str
    number: int
    original: str


class Notes:
    """Collects the remarks on one file; ``at`` tells which line is being converted."""

    def __init__(self, file: str, remarks: list[Remark]) -> None:
        """Remarks are appended to ``remarks``."""
        self.file = file
        self._remarks = remarks
        self._number = 0
        self._text = ""

    def at(self, number: int, text: str) -> None:
        """From here on line ``number`` is spoken of."""
        self._number, self._text = number, in_ascii(" ".join(text.split()))

    def left_out(self, reason: str, advice: str = "") -> None:
        """The line isn't in the converted text."""
        self._add(Fate.LEFT_OUT, self._text, reason, advice)

    def changed(self, reason: str, advice: str = "") -> None:
        """The line is there, but isn't quite what it was. Said once a line."""
        self._add(Fate.CHANGED, self._text, reason, advice)

    def added(self, text: str, reason: str, advice: str = "") -> None:
        """``text`` is there now, and wasn't."""
        self._add(Fate.ADDED, text, reason, advice)

    def line(self, text: str) -> Line:
        """``text``, made of the line spoken of."""
        return Line(text, self._number, self._text)

    def _add(self, fate: Fate, text: str, reason: str, advice: str) -> None:
        remark = Remark(self.file, self._number, fate, text, reason, advice)
        if remark not in self._remarks[-4:]:
            self._remarks.append(remark)
