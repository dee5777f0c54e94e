"""Lines and words of old text: any bytes may stand there, and nothing is wrong yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_WORD: Final = re.compile(r"[!-~]+")
_FOREIGN: Final = re.compile(r"[^\t -~]")


def text_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of ``text`` with their numbers from 1; a line end at the end of the text ends its last line."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return enumerate(lines, 1)


def significant_words(raw: str) -> list[str] | None:
    """The words of a line; None if it is blank or a comment."""
    words = _WORD.findall(raw)
    return words if words and not words[0].startswith("#") else None


def in_ascii(raw: str) -> str:
    r"""``raw`` with what isn't printable ASCII written as ``\ooo``, as words of policy write it."""
    return _FOREIGN.sub(_escaped, raw)


def printable(text: str) -> str:
    r"""``text`` with what can't be shown written as ``\ooo``."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _octal(c) for c in text)


def _escaped(found: re.Match[str]) -> str:
    return _octal(found.group())


def _octal(text: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogateescape"))
