r"""Words: how a name of arbitrary bytes is written in policy and audit text, and which words are correct.

::

    byte 0x21-0x7e but \      itself
    \                         \\
    any other byte            \ooo      three octal digits

Policy may also use the pattern operators of ``names.pattern`` inside a word.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DOMAIN_LENGTH: Final = 4085
"""A domainname is at most so long: the kernel keeps it in a page, less 10 bytes."""

MAX_OPERATORS: Final = 20
r"""At most so many of ``\* \@ \$ \X \A \{ \}`` may stand in one word."""

_ENCODED: Final = tuple(
    "\\\\" if byte == 0x5C else chr(byte) if 0x20 < byte < 0x7F else f"\\{byte:03o}" for byte in range(256)
)
_DECODED: Final = {text: bytes((byte,)) for byte, text in enumerate(_ENCODED)}

_PLAIN: Final = re.compile(rb"[!-\[\]-~]*")
_UNIT: Final = re.compile(r"\\(?:\\|[0-3][0-7][0-7]|.?)|[^\\]", re.DOTALL)

_ESCAPE: Final = r"\\(?:\\|0[0-3][0-7]|040|177|[23][0-7][0-7])"
_OPERATOR: Final = r"\\[*@$XAxa+?-]"
_PLAIN_WORD: Final = re.compile(r"[!-\[\]-~]+")
_CORRECT_WORD: Final = re.compile(
    rf"(?:[!-\[\]-~]|{_ESCAPE}|{_OPERATOR}|(?<=/)\\\{{(?:[!-.0-\[\]-~]|{_ESCAPE}|{_OPERATOR})*\\\}}(?=/))+"
)
_LIMITED: Final = re.compile(r"\\(?:\\|([*@$XA{}]))")


def encode(raw: bytes) -> str:
    """The word that stands for ``raw``: printable ASCII without spaces; empty for empty ``raw``."""
    if _PLAIN.fullmatch(raw):
        return raw.decode("ascii")
    return "".join([_ENCODED[byte] for byte in raw])


def decode(word: str) -> bytes:
    """The bytes that ``word`` stands for.

    Raises:
        ValueError: ``word`` isn't what ``encode`` makes of any bytes; patterns never are.
    """
    try:
        return b"".join([_DECODED[unit] for unit in units(word)])
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} can't stand in the encoding of a name") from None


def units(word: str) -> list[str]:
    r"""``word`` cut into characters, where an escape (``\\``, ``\ooo``) or an operator counts as one."""
    return _UNIT.findall(word)


def is_correct_word(word: str) -> bool:
    """True if ``word`` is not empty and keeps the rules of words, literal or pattern."""
    if _PLAIN_WORD.fullmatch(word):
        return True
    if not _CORRECT_WORD.fullmatch(word):
        return False
    return sum(map(bool, _LIMITED.findall(word))) <= MAX_OPERATORS


def is_correct_path(word: str) -> bool:
    """True if ``word`` is a correct word with a ``/`` and no ``.`` before it: ``/x``, ``proc:/x``, not ``a.b/x``."""
    head, slash, _ = word.partition("/")
    return bool(slash) and "." not in head and is_correct_word(word)


def is_correct_namespace(word: str) -> bool:
    """True if ``word`` can name a namespace: ``<kernel>``, ``<anything-correct>``."""
    return word[:1] == "<" and word[-1:] == ">" and is_correct_word(word[1:-1])


def is_correct_domain(text: str) -> bool:
    """True if ``text`` is a namespace, then any number of correct paths one space apart, and not too long."""
    namespace, *programs = text.split(" ")
    return len(text) <= MAX_DOMAIN_LENGTH and is_correct_namespace(namespace) and all(map(is_correct_path, programs))
