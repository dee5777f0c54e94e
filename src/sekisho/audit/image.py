"""The argument and environment strings of a program as an audit record keeps them: encoded, and not without limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sekisho.audit.values import Image
from sekisho.decide.request import Execution
from sekisho.names.word import encode

_ROOM: Final = 8192 - 32
"""No character starts beyond this position of the kernel's buffer (spec g.6)."""
_OPENING: Final = len("argv[]={ ")
_BETWEEN: Final = len("} envp[]={ ")
_DOTS: Final = len("... ")


def image_of(execution: Execution) -> Image:
    """The image as a record keeps it."""
    argv, position = _fitting(execution.argv, _OPENING)
    envp, _ = _fitting(execution.envp, position + _BETWEEN)
    return Image(execution.realpath, len(execution.argv), len(execution.envp), argv, envp)


def _fitting(strings: Iterable[bytes], position: int) -> tuple[tuple[str, ...], int]:
    """The leading strings that fit from ``position`` on, and the position after them."""
    words: list[str] = []
    for raw in strings:
        word = encode(raw[:_ROOM])
        end = position + 1 + len(word)
        # The closing quote must start in the buffer's room, and so must every character before it.
        if end >= _ROOM:
            return tuple(words), position + _DOTS
        words.append(word)
        position = end + len('" ')
    return tuple(words), position
