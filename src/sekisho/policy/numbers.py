"""Numbers of policy text: decimal, 0octal or 0xhex, or a range of two; the radix is part of the value."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sekisho.names.word import is_correct_word
from sekisho.policy.lines import Fault
from sekisho.policy.model import Number

_NUMBER: Final = re.compile(r"0[xX]([0-9a-fA-F]+)|0([0-7]+)|([0-9]+)")
_MAX: Final = 2**64 - 1
_DIGITS: Final = 30
"""Any number that fits has fewer; Python refuses the longest ones with an error of its own."""


class NotANumber(ValueError):
    """The text isn't what it should be; ``str()`` says what it should be."""


@lru_cache(maxsize=4096)
def canonical_number(text: str) -> Number:
    """The number or range that ``text`` (no group) writes; its ``text`` is as the kernel prints it.

    Raises:
        NotANumber: it isn't one.
    """
    low_text, dash, high_text = text.partition("-")
    low_text, low = _read(low_text)
    if not dash:
        return Number(low_text, low, low)
    high_text, high = _read(high_text)
    if low > high:
        raise NotANumber(f"a range goes from the smaller to the larger number, found {text!r}")
    return Number(low_text if low_text == high_text else f"{low_text}-{high_text}", low, high)


def _read(text: str) -> tuple[str, int]:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise NotANumber(f"expected a number such as 10, 0644 or 0x5401, or a range such as 1-10, found {text!r}")
    if len(text.lstrip("0x")) > _DIGITS:
        raise NotANumber(f"{text[:_DIGITS]}… is more than 64 bits")
    hexadecimal, octal, decimal = found.groups()
    if hexadecimal:
        value = int(hexadecimal, 16)
        canonical = f"0x{value:X}"
    elif octal:
        value = int(octal, 8)
        canonical = f"0{value:o}"
    else:
        value = int(decimal)
        canonical = str(value)
    if value > _MAX:
        raise NotANumber(f"{text} is more than 64 bits")
    return canonical, value


def number_at(words: list[str], at: int, what: str) -> Number:
    """The number, range or ``@group`` that word ``at`` writes; ``what`` names it in a Fault."""
    if at >= len(words):
        raise Fault(at, f"expected {what}, found the end of the line", "write a number, a range or @number_group")
    word = words[at]
    try:
        return canonical_number(word)
    except NotANumber as error:
        if word[0] == "@" and is_correct_word(word[1:]):
            return Number(word, group=word[1:])
        raise Fault(at, f"{what}: {error}") from None
