"""Argument and environment strings as conditions see them."""

from __future__ import annotations

from sekisho.names.word import encode, units

LIMIT = 4086
"""Where the kernel stops adding characters to the encoded string that it compares (spec e)."""


def visible(raw: bytes) -> str:
    """``raw`` encoded, cut at the first whole character that reaches the limit."""
    text = encode(raw[:LIMIT])
    if len(text) <= LIMIT:
        return text
    length = 0
    for character in units(text):
        if length >= LIMIT:
            break
        length += len(character)
    return text[:length]


def environment(envp: tuple[bytes, ...], name: str) -> list[str]:
    """Every value that ``name`` has, in order; strings without ``=`` have no name and don't count."""
    values = []
    for raw in envp:
        key, equals, value = visible(raw).partition("=")
        if equals and key == name:
            values.append(value)
    return values
