"""Printing for people and for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from enum import Enum
from typing import TextIO


class Colour(Enum):
    """ANSI colours, by what they say."""

    GOOD = "32"
    BAD = "31"
    NOTE = "33"


def print_json(value: object) -> None:
    """``value`` is on standard output as indented JSON, ASCII only."""
    print(json.dumps(value, indent=2))


def coloured(text: str, colour: Colour, stream: TextIO | None = None) -> str:
    """``text`` in ``colour``, where ``stream`` (standard output) is a terminal that wants it.

    NO_COLOR (https://no-color.org) and TERM=dumb turn colour off.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not (stream or sys.stdout).isatty():
        return text
    return f"\x1b[{colour.value}m{text}\x1b[0m"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """``rows`` as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
