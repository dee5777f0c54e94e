"""The operands of entries and exception lines: each reader takes the words and a place, and gives a value.

They raise ``Fault`` with what was expected there.
"""

from __future__ import annotations

from typing import Final, NoReturn

from sekisho.names.word import (
    MAX_DOMAIN_LENGTH,
    MAX_OPERATORS,
    is_correct_namespace,
    is_correct_path,
    is_correct_word,
    units,
)
from sekisho.policy.addresses import NotAnAddress, canonical_address
from sekisho.policy.conditions import WORD_HINT
from sekisho.policy.lines import Fault, expect_word
from sekisho.policy.model import Address, Name

TRANSITION: Final = 'auto_domain_transition="'
"""How the suffix begins that would read as a pathname, where a domainname may go on."""


def word_at(words: list[str], at: int, what: str) -> str:
    """The correct word at ``at``."""
    word = expect_word(words, at, what)
    if not is_correct_word(word):
        _refuse_word(word, at, what)
    return word


def _bad_unit(word: str) -> tuple[int, str] | None:
    """Where the first escape stands that means nothing, and which it is."""
    place = 0
    for unit in units(word):
        if unit[0] == "\\" and unit[1:] not in ("{", "}") and not is_correct_word(unit):
            return place, unit
        place += len(unit)
    return None


def _refuse_word(word: str, at: int, what: str) -> NoReturn:
    bad = _bad_unit(word)
    if bad is not None:
        raise Fault(at, f"{what}: {bad[1]} means nothing in a name or pattern", WORD_HINT, bad[0])
    if r"\{" in word or r"\}" in word:
        raise Fault(at, rf"{what}: misplaced \{{ or \}} in {word}", r"write /\{…\}/ with no slash between")
    raise Fault(at, f"{what}: more than {MAX_OPERATORS} operators in {word}", "split it into several patterns")


def name_at(words: list[str], at: int, what: str) -> Name:
    r"""The name, pattern or ``@group`` at ``at``."""
    word = word_at(words, at, what)
    if word[0] != "@":
        return Name(word)
    if len(word) == 1:
        raise Fault(at, f"{what}: expected the name of a group after @")
    return Name(word, word[1:])


def path_at(words: list[str], at: int, what: str) -> str:
    """The correct path at ``at``."""
    word = word_at(words, at, what)
    if not is_correct_path(word):
        raise Fault(at, f"{what}: expected a pathname such as /bin/sh or proc:/self/exe, found {word!r}")
    return word


def address_at(words: list[str], at: int, what: str) -> Address:
    """The address, range or ``@group`` at ``at``."""
    word = expect_word(words, at, what)
    if word[0] == "@" and len(word) > 1 and is_correct_word(word):
        return Address(word, group=word[1:])
    try:
        return canonical_address(word)
    except NotAnAddress as error:
        raise Fault(at, f"{what}: {error}") from None


def namespace_at(words: list[str], at: int) -> str:
    """The namespace name at ``at``, such as ``<kernel>``."""
    word = expect_word(words, at, "a namespace such as <kernel>")
    if not is_correct_namespace(word):
        raise Fault(at, f"expected a namespace such as <kernel>, found {word!r}")
    return word


def domain_at(words: list[str], at: int) -> tuple[str, int]:
    """The domainname that starts at ``at``, and the place after it: it goes on while words are correct paths."""
    start, name = at, namespace_at(words, at)
    at += 1
    while at < len(words) and is_correct_path(words[at]) and not words[at].startswith(TRANSITION):
        at += 1
    if at > start + 1:
        name = " ".join(words[start:at])
    if len(name) > MAX_DOMAIN_LENGTH:
        raise Fault(start, f"a domainname has at most {MAX_DOMAIN_LENGTH} characters, found {len(name)}")
    return name, at


def small_number_at(words: list[str], at: int, what: str) -> int:
    """The decimal number from 0 to 255 at ``at``: a profile's or a group's."""
    word = expect_word(words, at, what)
    if not (word.isdigit() and len(word) <= 3 and int(word) <= 255):
        raise Fault(at, f"{what}: expected a number from 0 to 255, found {word!r}")
    return int(word)
