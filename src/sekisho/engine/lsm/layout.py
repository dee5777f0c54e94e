"""What user space and the kernel side both write and read: bpf/layout.h in Python, numbers here, structures beside it.

Numbers of operations come from the grammar; scripts/bpf.py makes bpf/operations.h of them. A test compares what
is here with what the compiler made of those in C.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Final

from sekisho.engine.lsm import running, structures
from sekisho.engine.lsm.running import *  # noqa: F403
from sekisho.engine.lsm.structures import *  # noqa: F403
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
ACTIVE, ACTIVE_LEAVING = 1, 2
DOMAIN_EXISTS, DOMAIN_TRANSITION_FAILED, DOMAIN_PROTECTED, DOMAIN_MANAGER, DOMAIN_MAKING = 1, 2, 4, 8, 16
BINDING_FULL: Final = 1
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
QUESTIONS: Final = 1024
ANSWER_NONE, ANSWER_ALLOW, ANSWER_REFUSE, ANSWER_RETRY = range(4)
TASK_OPENING, TASK_INFERRED, TASK_HANDLER = 1, 2, 4


HAVE_TASK, HAVE_EXECUTION, HAVE_PATH1, HAVE_PATH1_PARENT, HAVE_PATH2, HAVE_PATH2_PARENT, HAVE_TARGET = (
    1 << bit for bit in range(7)
)


def name_key(raw: bytes, space: int = SPACE_NAME) -> tuple[int, bytes]:
    """The size of the names_N map that ``raw`` belongs in, and its key there. Raises ValueError if it is too long."""
    size = next((size for size in NAME_SIZES if len(raw) + 4 <= size), 0)
    if not size:
        raise ValueError(f"a name has at most {NAME_BYTES} bytes, this one {len(raw)}")
    head = len(raw).to_bytes(2, "little") + bytes((space, 0))
    return size, (head + raw).ljust(size, b"\0")


STRUCTURES: Final[dict[str, type[ctypes.Structure]]] = {
    "name_value": structures.NameValue,
    "found_key": structures.FoundKey,
    "found": structures.Found,
    "place_key": structures.PlaceKey,
    "test": structures.RuleTest,
    "rule": structures.Rule,
    "clause": structures.Clause,
    "range": structures.Range,
    "endpoint_key": structures.EndpointKey,
    "interval": structures.Interval,
    "pair_key": structures.PairKey,
    "list": structures.List,
    "domain": structures.Domain,
    "binding": structures.Binding,
    "profile": structures.Profile,
    "child_key": structures.ChildKey,
    "control_key": structures.ControlKey,
    "namespace_key": structures.NamespaceKey,
    "namespace_value": structures.NamespaceValue,
    "state": running.State,
    "counts": running.Counts,
    "facts": running.Facts,
    "event": running.Event,
    "task": running.Task,
    "question": running.Question,
    "setter": running.Setter,
}
"""Every structure, by its name in C."""
