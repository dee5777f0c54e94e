r"""How a refused request could be allowed: by the line that says just that, or by ever more general ones.

For ``file read /var/log/app-7.log`` they are, in this order::

    file read /var/log/app-7.log         this alone
    file read /var/log/app-\$.log        any number in the name
    file read /var/log/\*.log            any .log file in the directory
    file read /var/log/\*                any file in the directory
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sekisho.names.pattern import compile_pattern, is_pattern
from sekisho.names.word import is_correct_word
from sekisho.policy.model import AclEntry, Address, Name, Number, OperandValue

_DIGITS: Final = re.compile(r"(?<!\\)(?<!\\[0-3])(?<!\\[0-3][0-7])[0-9]+")
_SUFFIX: Final = re.compile(r"[^.\\]+(\.[A-Za-z0-9_]{1,8})")
_ALL_PORTS: Final = Number("0-65535", 0, 65535)
_ALL_ADDRESSES: Final = {
    4: Address("0.0.0.0-255.255.255.255", 4, 0, 2**32 - 1),
    6: Address("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 6, 0, 2**128 - 1),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to allow a request, and what it would allow."""

    entry: AclEntry
    meaning: str


def choices(entry: AclEntry) -> list[Choice]:
    """``entry`` itself and what is more general than it, narrowest first; each grants all that ``entry`` does."""
    found = [Choice(entry, "just this")]
    if entry.operations[0].category == "network" and isinstance(entry.operands[0], Address):
        found += _addresses(entry)
    elif entry.operations[0].category in ("file", "network"):
        found += _names(entry)
    return found


def _addresses(entry: AclEntry) -> Iterator[Choice]:
    address, port = entry.operands
    if not isinstance(address, Address) or not isinstance(port, Number) or address.group or port.group:
        return
    everywhere = _ALL_ADDRESSES[address.version]
    yield Choice(replace(entry, operands=(address, _ALL_PORTS)), "this address, any port")
    yield Choice(replace(entry, operands=(everywhere, port)), "any address, this port")


def _names(entry: AclEntry) -> Iterator[Choice]:
    """The last name is what varies: the others stay as they are."""
    place = max((at for at, operand in enumerate(entry.operands) if isinstance(operand, Name)), default=-1)
    operand = entry.operands[place] if place >= 0 else None
    if not isinstance(operand, Name) or operand.group is not None or is_pattern(operand.text):
        return
    seen = {operand.text}
    for pattern, meaning in _patterns(operand.text):
        if pattern in seen or not is_correct_word(pattern) or not compile_pattern(pattern).matches(operand.text):
            continue
        seen.add(pattern)
        operands: tuple[OperandValue, ...] = (*entry.operands[:place], Name(pattern), *entry.operands[place + 1 :])
        yield Choice(replace(entry, operands=operands), meaning)


def _patterns(name: str) -> Iterator[tuple[str, str]]:
    is_directory = name.endswith("/")
    head, slash, last = name.rstrip("/").rpartition("/")
    end = "/" if is_directory else ""
    yield f"{head}{slash}{_DIGITS.sub(_number, last)}{end}", "any number in its name"
    yield _DIGITS.sub(_number, name), "any number in its path"
    if not slash:
        return
    suffix = _SUFFIX.fullmatch(last)
    if suffix is not None and not is_directory:
        yield rf"{head}/\*{suffix[1]}", f"any {suffix[1]} in its directory"
    what = "directory" if is_directory else "file"
    yield rf"{head}/\*{end}", f"any {what} beside it"


def _number(_: re.Match[str]) -> str:
    return r"\$"
