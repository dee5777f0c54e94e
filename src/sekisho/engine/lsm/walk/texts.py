"""Argument and environment strings as conditions see them, in raw bytes."""

from __future__ import annotations

from typing import Final

LIMIT: Final = 4086
"""No character is looked at once the encoded ones before it are so many."""


def visible(raw: bytes) -> bytes:
    """As much of ``raw`` as is compared."""
    length = 0
    for place, byte in enumerate(raw):
        if length >= LIMIT:
            return raw[:place]
        if byte == 0x5C:
            length += 2
        elif 0x20 < byte < 0x7F:
            length += 1
        else:
            length += 4
    return raw
