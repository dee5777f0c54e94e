"""What user space and the kernel side both write and read: bpf/layout.h in Python.

Numbers of operations come from the grammar; scripts/bpf.py makes bpf/operations.h of them. A test compares the
structures here with what the compiler made of those in C.
"""

from __future__ import annotations

import ctypes
from ctypes import c_uint8, c_uint16, c_uint32, c_uint64
from dataclasses import dataclass
from typing import Final

from sekisho.policy.grammar import OPERATIONS, Operand, Operation

NUMBERS: Final[dict[str, int]] = {keyword: number for number, keyword in enumerate(OPERATIONS)}
"""Keyword to the number that a profile's config and events know the operation by."""


@dataclass(frozen=True, slots=True)
class Family:
    """Operations that are looked up in the same way; in masks each is a bit, its position here."""

    name: str
    operations: tuple[Operation, ...]

    def bit(self, operation: Operation) -> int:
        """The operation's bit number."""
        return self.operations.index(operation)


def _families() -> tuple[Family, ...]:
    members: dict[str, list[Operation]] = {"NAME": [], "INET": [], "DOMAIN": [], "NONE": [], "STANDING": []}
    for operation in OPERATIONS.values():
        members[_family(operation)].append(operation)
    return tuple(Family(name, tuple(operations)) for name, operations in members.items())


def _family(operation: Operation) -> str:
    if operation.group in ("automatic", "handler", "denied handler"):
        return "STANDING"
    if not operation.operands:
        return "NONE"
    if operation.operands[0] is Operand.ADDRESS:
        return "INET"
    return "DOMAIN" if operation.operands[-1] is Operand.DOMAIN else "NAME"


FAMILIES: Final = _families()
NAME, INET, DOMAIN, NONE, STANDING = FAMILIES
FAMILY_OF: Final = {operation.keyword: family for family in FAMILIES for operation in family.operations}
BITS: Final = {operation.keyword: bit for family in FAMILIES for bit, operation in enumerate(family.operations)}

NAME_BYTES: Final = 4092
SPACE_NAME: Final = 0
SPACE_TEXT: Final = 1
NAME_SIZES: Final = (32, 64, 128, 256, 1024, 4096)
"""The keys of the names_N maps: a header of four bytes, and the name."""

KERNEL_MADE: Final = 1 << 29
FOUND_ACCEPT: Final = 1 << 31
FOUND_DOMAIN: Final = 1 << 30
TEST_NONE, TEST_NAME, TEST_AUTOMATON, TEST_NUMBER, TEST_RANGES = range(5)
(
    PREFER_NONE,
    PREFER_KEEP,
    PREFER_CHILD,
    PREFER_INITIALIZE,
    PREFER_RESET,
    PREFER_PARENT,
    PREFER_DOMAIN,
    PREFER_PATH,
) = range(8)
RULE_LOG, RULE_NO_LOG, RULE_MOVE_CHILD, RULE_MOVE_DOMAIN, RULE_IGNORE_FIRST = 1, 2, 4, 8, 16
RULE_TESTS: Final = 3
(
    CLAUSE_NEVER,
    CLAUSE_ALWAYS,
    CLAUSE_NUMBER,
    CLAUSE_RANGES,
    CLAUSE_BITS,
    CLAUSE_HANDLER,
    CLAUSE_REALPATH,
    CLAUSE_TARGET,
    CLAUSE_ARGUMENT,
    CLAUSE_VARIABLE,
) = range(10)
LIST_EXECUTES: Final = 1
LIST_STANDING: Final = 1 << 31
"""In the id of a list: it has entries that stand by."""
DOMAIN_EXISTS, DOMAIN_TRANSITION_FAILED, DOMAIN_PROTECTED, DOMAIN_MANAGER, DOMAIN_MAKING = 1, 2, 4, 8, 16
BINDING_FULL: Final = 1
OPERATIONS_ROOM: Final = 96
PROFILES: Final = 1024
DOMAINS: Final = 16384
DOMAINS_BY_KERNEL: Final = DOMAINS // 2
KERNEL_DOMAIN: Final = 1
CONTROL_LAST: Final = 1 << 31
CONTROL_BITS: Final = {
    "no_reset_domain": 1,
    "reset_domain": 2,
    "no_initialize_domain": 4,
    "initialize_domain": 8,
    "no_keep_domain": 16,
    "keep_domain": 32,
}
CONFIG_GRANT_LOG, CONFIG_REJECT_LOG = 4, 8
EVENT_REQUEST, EVENT_DOMAIN, EVENT_NAME, EVENT_FAILED, EVENT_UNNAMEABLE, EVENT_TASK = range(1, 7)
EVENT_QUESTION, EVENT_INFERRED = 1, 2
EVENT_TEXTS: Final = 4
TASK_OPENING, TASK_INFERRED, TASK_HANDLER, TASK_JUMPS = 1, 2, 4, 8

TASK_FACTS: Final = ("uid", "gid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid", "pid", "ppid")
INODE_FACTS: Final = ("uid", "gid", "ino", "major", "minor", "perm", "type", "dev_major", "dev_minor")
OBJECTS: Final = ("path1", "path1.parent", "path2", "path2.parent")
FACTS: Final[dict[str, int]] = {
    word: number
    for number, word in enumerate(
        [
            *(f"task.{name}" for name in TASK_FACTS),
            "exec.argc",
            "exec.envc",
            *(f"{each}.{name}" for each in OBJECTS for name in INODE_FACTS),
        ],
        1,
    )
}
"""What a numeric condition can look at, to its place in ``Facts.values``; 0 is none."""

HAVE_TASK, HAVE_EXECUTION, HAVE_PATH1, HAVE_PATH1_PARENT, HAVE_PATH2, HAVE_PATH2_PARENT, HAVE_TARGET = (
    1 << bit for bit in range(7)
)


class NameValue(ctypes.Structure):
    """``struct name_value``."""

    _fields_ = (("id", c_uint32), ("units", c_uint32))


class FoundKey(ctypes.Structure):
    """``struct found_key``."""

    _fields_ = (("list", c_uint32), ("operand", c_uint32))


class Found(ctypes.Structure):
    """``struct found``."""

    _fields_ = (
        ("plain", c_uint64),
        ("chain", c_uint32),
        ("count", c_uint32),
        ("last", c_uint32),
        ("pad", c_uint32),
    )


class PlaceKey(ctypes.Structure):
    """``struct place_key``."""

    _fields_ = (("list", c_uint32), ("place", c_uint32))


class RuleTest(ctypes.Structure):
    """``struct test``."""

    _fields_ = (
        ("kind", c_uint8),
        ("operand", c_uint8),
        ("count", c_uint16),
        ("place", c_uint32),
        ("low", c_uint64),
        ("high", c_uint64),
    )


class Rule(ctypes.Structure):
    """``struct rule``."""

    _fields_ = (
        ("operations", c_uint64),
        ("entry", c_uint32),
        ("clauses", c_uint32),
        ("clause_count", c_uint16),
        ("flags", c_uint8),
        ("preference", c_uint8),
        ("candidate", c_uint32),
        ("target", c_uint32),
        ("move", c_uint32),
        ("tests", RuleTest * RULE_TESTS),
    )


class Clause(ctypes.Structure):
    """``struct clause``."""

    _fields_ = (
        ("kind", c_uint8),
        ("equal", c_uint8),
        ("left", c_uint8),
        ("right", c_uint8),
        ("count", c_uint16),
        ("pad", c_uint16),
        ("place", c_uint32),
        ("pad2", c_uint32),
        ("low", c_uint64),
        ("high", c_uint64),
    )


class Range(ctypes.Structure):
    """``struct range``."""

    _fields_ = (("low", c_uint64), ("high", c_uint64))


class EndpointKey(ctypes.Structure):
    """``struct endpoint_key``."""

    _fields_ = (
        ("list", c_uint32),
        ("operation", c_uint16),
        ("port", c_uint16),
        ("version", c_uint32),
        ("address", c_uint8 * 16),
    )


class Interval(ctypes.Structure):
    """``struct interval``."""

    _fields_ = (
        ("low", c_uint8 * 16),
        ("high", c_uint8 * 16),
        ("version", c_uint32),
        ("chain", c_uint32),
        ("count", c_uint32),
        ("pad", c_uint32),
    )


class PairKey(ctypes.Structure):
    """``struct pair_key``."""

    _fields_ = (
        ("list", c_uint32),
        ("operation", c_uint32),
        ("first", c_uint32),
        ("zero", c_uint32),
        ("second", c_uint64),
    )


class List(ctypes.Structure):
    """``struct list``."""

    _fields_ = (
        ("names", c_uint64),
        ("capabilities", c_uint64),
        ("automaton", c_uint32),
        ("flags", c_uint32),
        ("capability_chain", c_uint32),
        ("capability_count", c_uint32),
        ("standing_chain", c_uint32),
        ("standing_count", c_uint32),
        ("intervals", c_uint32),
        ("interval_count", c_uint32),
        ("domains", c_uint32),
        ("inet", c_uint32),
    )


class Domain(ctypes.Structure):
    """``struct domain``."""

    _fields_ = (
        ("parent", c_uint32),
        ("root", c_uint32),
        ("word", c_uint32),
        ("length", c_uint32),
        ("flags", c_uint32),
        ("creator", c_uint32),
    )


class Binding(ctypes.Structure):
    """``struct binding``."""

    _fields_ = (("list", c_uint32), ("shared", c_uint32), ("profile", c_uint32), ("flags", c_uint32))


class Profile(ctypes.Structure):
    """``struct profile``."""

    _fields_ = (
        ("config", c_uint8 * OPERATIONS_ROOM),
        ("defined", c_uint32),
        ("penalty", c_uint32),
        ("enabled", c_uint64),
        ("enabled_inet", c_uint32),
        ("enabled_domains", c_uint32),
        ("enabled_capabilities", c_uint64),
        ("pad", c_uint64),
    )


class ChildKey(ctypes.Structure):
    """``struct child_key``."""

    _fields_ = (("parent", c_uint32), ("word", c_uint32))


class ControlKey(ctypes.Structure):
    """``struct control_key``."""

    _fields_ = (("book", c_uint32), ("root", c_uint32), ("program", c_uint32), ("domain", c_uint32))


class NamespaceKey(ctypes.Structure):
    """``struct namespace_key``."""

    _fields_ = (("book", c_uint32), ("root", c_uint32))


class NamespaceValue(ctypes.Structure):
    """``struct namespace_value``."""

    _fields_ = (("aggregators", c_uint32), ("controls", c_uint32))


class State(ctypes.Structure):
    """``struct state``."""

    _fields_ = (
        ("book", c_uint32),
        ("active", c_uint32),
        ("sequence", c_uint32 * 2),
        ("every_task", c_uint32),
        ("heartbeat", c_uint32),
        ("daemon", c_uint32),
        ("daemon_started", c_uint32),
        ("pad", c_uint32 * 8),
    )


class Counts(ctypes.Structure):
    """``struct counts``."""

    _fields_ = (
        ("next_domain", c_uint32),
        ("next_name", c_uint32),
        ("events", c_uint64),
        ("lost", c_uint64),
        ("repeated", c_uint64),
        ("unnameable", c_uint64),
        ("crowded", c_uint64),
        ("refused", c_uint64),
        ("inconsistent", c_uint64),
        ("seed", c_uint64),
        ("homeless", c_uint64),
        ("changed", c_uint64),
        ("pad", c_uint64 * 4),
    )


class Facts(ctypes.Structure):
    """``struct facts``."""

    _fields_ = (("have", c_uint32), ("handler", c_uint32), ("values", c_uint64 * (len(FACTS) + 1)))


class Event(ctypes.Structure):
    """``struct event``; the texts follow, one behind the other."""

    _fields_ = (
        ("size", c_uint32),
        ("kind", c_uint8),
        ("operation", c_uint8),
        ("mode", c_uint8),
        ("granted", c_uint8),
        ("domain", c_uint32),
        ("other", c_uint32),
        ("time", c_uint64),
        ("pid", c_uint32),
        ("thread", c_uint32),
        ("repeated", c_uint32),
        ("flags", c_uint32),
        ("numbers", c_uint64 * 3),
        ("address", c_uint8 * 16),
        ("version", c_uint16),
        ("port", c_uint16),
        ("lengths", c_uint16 * EVENT_TEXTS),
        ("pad", c_uint32),
        ("facts", Facts),
    )


class Task(ctypes.Structure):
    """``struct task``."""

    _fields_ = (
        ("domain", c_uint32),
        ("pending", c_uint32),
        ("flags", c_uint32),
        ("argc", c_uint32),
        ("asked_name", c_uint64),
        ("asked_file", c_uint64),
        ("asked_error", c_uint64),
        ("question", c_uint64),
        ("pad2", c_uint64 * 2),
    )


def name_key(raw: bytes, space: int = SPACE_NAME) -> tuple[int, bytes]:
    """The size of the names_N map that ``raw`` belongs in, and its key there. Raises ValueError if it is too long."""
    size = next((size for size in NAME_SIZES if len(raw) + 4 <= size), 0)
    if not size:
        raise ValueError(f"a name has at most {NAME_BYTES} bytes, this one {len(raw)}")
    head = len(raw).to_bytes(2, "little") + bytes((space, 0))
    return size, (head + raw).ljust(size, b"\0")


STRUCTURES: Final[dict[str, type[ctypes.Structure]]] = {
    "name_value": NameValue,
    "found_key": FoundKey,
    "found": Found,
    "place_key": PlaceKey,
    "test": RuleTest,
    "rule": Rule,
    "clause": Clause,
    "range": Range,
    "endpoint_key": EndpointKey,
    "interval": Interval,
    "pair_key": PairKey,
    "list": List,
    "domain": Domain,
    "binding": Binding,
    "profile": Profile,
    "child_key": ChildKey,
    "control_key": ControlKey,
    "namespace_key": NamespaceKey,
    "namespace_value": NamespaceValue,
    "state": State,
    "counts": Counts,
    "facts": Facts,
    "event": Event,
    "task": Task,
}
"""Every structure, by its name in C."""
