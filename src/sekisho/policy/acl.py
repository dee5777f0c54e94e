"""One ACL entry from its words: ``file read/write /tmp/x task.uid=0``."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NoReturn

from sekisho.names.pattern import is_pattern
from sekisho.names.word import is_correct_path
from sekisho.policy.edit import in_table_order
from sekisho.policy.grammar import OPERATIONS, Operand, Operation
from sekisho.policy.lines import Fault, expect_word, position_error, suggest, words_of
from sekisho.policy.model import AclEntry, Name, OperandValue
from sekisho.policy.numbers import number_at
from sekisho.policy.operands import TRANSITION, address_at, domain_at, name_at, path_at, word_at
from sekisho.policy.suffixes import suffixes_at

PREFERENCES: Final = frozenset({"keep", "child", "initialize", "reset", "parent"})
"""Transition preferences besides a domainname and a pathname."""

_HEADS: Final = {"file": 1, "network": 3, "misc": 1, "ipc": 1, "capability": 1, "task": 1}
"""How many words come before the operations."""

_LABELS: Final[dict[str, tuple[str, ...]]] = {
    "path2": ("the first pathname", "the second pathname"),
    "mount": ("the device", "the mount point", "the file system type", "the flags"),
    "device": ("a pathname", "the mode", "the major number", "the minor number"),
    "signal": ("the number of a signal (kill -l lists them)", "a domainname"),
}
_KIND_LABELS: Final = {
    Operand.NAME: "a name, pattern or @path_group",
    Operand.ADDRESS: "an address, range or @address_group",
    Operand.OCTAL: "the mode",
    Operand.HEX: "the command",
    Operand.DECIMAL: "a number",
    Operand.DOMAIN: "a domainname",
}
_MAX_PORT: Final = 65535


def parse_acl(text: str, *, source: str = "<entry>", line: int = 1) -> AclEntry:
    """The entry that ``text``, one line, writes.

    Raises:
        PolicyError: it writes none; ``source`` and ``line`` say where it stands.
    """
    try:
        return acl_at(words_of(text), 0)
    except Fault as fault:
        raise position_error(fault, text, source, line) from None


def acl_at(words: list[str], at: int) -> AclEntry:
    """The entry that the words from ``at`` to the end write."""
    expect_word(words, at, "a policy entry such as file read /etc/passwd")
    length = _HEADS.get(words[at])
    if length is None:
        _refuse_directive(words, at)
    operations_at = at + length
    if operations_at >= len(words):
        raise Fault(operations_at, f"expected an operation after {' '.join(words[at:])!r}, found the end of the line")
    operations = _operations(" ".join(words[at:operations_at]), words[operations_at])
    if operations is None:
        _refuse_operations(words, at, operations_at)
    operands, end = _operands(operations[0], words, operations_at + 1)
    if end == len(words):
        return AclEntry(operations, operands)
    preference, end = _preference(operations, words, end)
    suffixes = suffixes_at(words, end)
    if suffixes.transition is not None:
        _refuse_second_way(operations, words, end)
    return AclEntry(operations, operands, preference, suffixes.conditions, suffixes.grant_log, suffixes.transition)


@lru_cache(maxsize=1024)
def _operations(head: str, word: str) -> tuple[Operation, ...] | None:
    """The operations that ``word``, keywords joined by slashes, writes after ``head``; None if it is wrong."""
    found = [OPERATIONS.get(f"{head} {keyword}") for keyword in word.split("/")]
    operations = in_table_order(operation for operation in found if operation is not None)
    if None in found or len({operation.group for operation in operations}) != 1:
        return None
    return operations


def _operands(operation: Operation, words: list[str], at: int) -> tuple[tuple[OperandValue, ...], int]:
    """The operands that start at ``at``, and the place after them."""
    kinds = operation.operands
    if kinds == (Operand.NAME,):
        return (_single(operation.group, words, at),), at + 1
    labels = _LABELS.get(operation.group) or tuple(_KIND_LABELS[kind] for kind in kinds)
    values: list[OperandValue] = []
    for kind, label in zip(kinds, labels, strict=True):
        if kind is Operand.DOMAIN:
            name, at = domain_at(words, at)
            values.append(Name(name))
            continue
        if kind is Operand.NAME:
            values.append(name_at(words, at, label))
        elif kind is Operand.ADDRESS:
            values.append(address_at(words, at, label))
        else:
            number = number_at(words, at, label)
            if kinds[0] is Operand.ADDRESS and number.high > _MAX_PORT:
                raise Fault(at, f"a port or protocol is at most {_MAX_PORT}, found {number.text}")
            values.append(number)
        at += 1
    return tuple(values), at


def _single(group: str, words: list[str], at: int) -> Name:
    """The one name of an entry that has nothing else."""
    if group == "env":
        return _variable(words, at)
    if group in ("handler", "denied handler"):
        return _handler(words, at)
    return name_at(words, at, _KIND_LABELS[Operand.NAME])


def _handler(words: list[str], at: int) -> Name:
    path = path_at(words, at, "an execute handler")
    if is_pattern(path):
        raise Fault(at, f"an execute handler can't be a pattern, found {path}", "name one program")
    return Name(path)


def _variable(words: list[str], at: int) -> Name:
    word = word_at(words, at, "the name of an environment variable")
    if "=" in word:
        raise Fault(at, "a variable's name has no =", "its value isn't part of the entry", word.index("="))
    return Name(word)


def _preference(operations: tuple[Operation, ...], words: list[str], at: int) -> tuple[str | None, int]:
    word = words[at]
    if not (word in PREFERENCES or word[0] == "<" or is_correct_path(word)) or word.startswith(TRANSITION):
        return None, at
    if len(operations) != 1 or operations[0].keyword != "file execute":
        raise Fault(
            at,
            f"expected a condition or nothing, found {word!r}",
            "a transition preference goes with file execute alone, a space in a name is written \\040",
        )
    if word[0] == "<":
        return domain_at(words, at)
    return word, at + 1


def _refuse_second_way(operations: tuple[Operation, ...], words: list[str], at: int) -> None:
    """A Fault where another part of the entry says where the program goes."""
    at = next(place for place in range(at, len(words)) if words[place].startswith(TRANSITION))
    if any(operation.keyword == "file execute" for operation in operations):
        raise Fault(
            at,
            "auto_domain_transition can't go with file execute",
            "write the pathname or domainname alone, before the conditions: file execute /a <kernel> /b",
        )
    if operations[0].category == "task":
        raise Fault(at, "auto_domain_transition can't go with a task entry", "remove it")


def _refuse_directive(words: list[str], at: int) -> NoReturn:
    word = words[at]
    if word.startswith("allow_") or word.isdigit():
        hint = "this is the syntax of TOMOYO 2.3 and older: sekisho policy convert writes today's"
    else:
        hint = suggest(word, _HEADS, f"an entry begins with {', '.join(_HEADS)}")
    raise Fault(at, f"unknown directive {word!r}", hint)


def _refuse_operations(words: list[str], at: int, operations_at: int) -> NoReturn:
    head, word = words[at:operations_at], words[operations_at]
    prefix = " ".join(head) + " "
    keywords = [keyword.removeprefix(prefix) for keyword in OPERATIONS if keyword.startswith(prefix)]
    if not keywords:
        raise Fault(at + 1, f"unknown directive {prefix.strip()!r}", _head_hint(head[0]))
    offset = 0
    for part in word.split("/"):
        if part not in keywords:
            hint = suggest(part, keywords, f"{prefix}has: {' '.join(keywords)}")
            raise Fault(operations_at, f"unknown operation {part!r}", hint, offset)
        offset += len(part) + 1
    raise Fault(operations_at, f"{word!r} joins operations that take different operands", "write one entry for each")


def _head_hint(category: str) -> str:
    heads = sorted({keyword.rpartition(" ")[0] for keyword in OPERATIONS if keyword.startswith(category + " ")})
    return "there are: " + ", ".join(heads)
