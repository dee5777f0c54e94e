"""The numeric operands of conditions, and number operands against number groups."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Final

from sekisho.decide.request import Facts, FileType, Inode
from sekisho.policy.model import Namespace

Range = tuple[int, int]
Fetch = Callable[[Facts], "Range | None"]
"""Gives the operand's value as a range, or None where the object it belongs to doesn't exist."""

TYPES: Final[dict[str, int]] = {
    FileType.FIFO: 0o010000,
    FileType.CHAR: 0o020000,
    FileType.DIRECTORY: 0o040000,
    FileType.BLOCK: 0o060000,
    FileType.FILE: 0o100000,
    FileType.SYMLINK: 0o120000,
    FileType.SOCKET: 0o140000,
}
"""What a type constant stands for when it is compared with a number: its S_IFMT value."""

MODE_BITS: Final[dict[str, int]] = {
    "setuid": 0o4000,
    "setgid": 0o2000,
    "sticky": 0o1000,
    "owner_read": 0o400,
    "owner_write": 0o200,
    "owner_execute": 0o100,
    "group_read": 0o40,
    "group_write": 0o20,
    "group_execute": 0o10,
    "others_read": 0o4,
    "others_write": 0o2,
    "others_execute": 0o1,
}

PERMISSIONS: Final = frozenset({"path1.perm", "path2.perm", "path1.parent.perm", "path2.parent.perm"})
"""The only operands that a mode bit is tested against."""

_TASK: Final = frozenset("uid euid suid fsuid gid egid sgid fsgid pid ppid".split())
_INODE: Final = frozenset("uid gid ino major minor perm type dev_major dev_minor".split())
_PARENT: Final = frozenset("uid gid ino perm".split())


def parse_number(text: str) -> int:
    """The value of a decimal, 0octal or 0xhex number."""
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text, 8) if text.startswith("0") and len(text) > 1 else int(text)


def parse_range(text: str) -> Range:
    """The ends of ``N`` or ``A-B``."""
    low, dash, high = text.partition("-")
    first = parse_number(low)
    return first, parse_number(high) if dash else first


def in_group(low: int, high: int, group: str, namespace: Namespace) -> bool:
    """Whether the range overlaps a member of the number group; an undefined group has none."""
    return any(member.low <= high and low <= member.high for member in namespace.number_groups.get(group, ()))


def fetcher(word: str) -> Fetch:
    """How to get the value of one side of a numeric condition."""
    constant = TYPES.get(word, MODE_BITS.get(word))
    if constant is not None:
        return _constant((constant, constant))
    if word[0].isdigit():
        return _constant(parse_range(word))
    if word == "exec.argc":
        return lambda facts: _point(len(facts.execution.argv)) if facts.execution else None
    if word == "exec.envc":
        return lambda facts: _point(len(facts.execution.envp)) if facts.execution else None
    owner, _, name = word.rpartition(".")
    if owner == "task" and name in _TASK:
        task = attrgetter(f"task.{name}")
        return lambda facts: _point(task(facts))
    if (owner in ("path1", "path2") and name in _INODE) or (
        owner in ("path1.parent", "path2.parent") and name in _PARENT
    ):
        return _attribute(owner.replace(".", "_"), name)
    raise ValueError(f"no such condition operand: {word}")


def _point(value: int) -> Range:
    return value, value


def _constant(value: Range) -> Fetch:
    return lambda facts: value


def _attribute(owner: str, name: str) -> Fetch:
    def fetch(facts: Facts) -> Range | None:
        inode: Inode | None = getattr(facts, owner)
        if inode is None:
            return None
        value: int | str | None = getattr(inode, name)
        if isinstance(value, str):
            return _point(TYPES[value])
        # The kernel's i_rdev is 0 for what isn't a device node.
        return _point(0 if value is None else value)

    return fetch
