"""What ``sekisho why`` supposes: a line of policy read as a request, with the facts that conditions look at.

The files are looked at as they are now. Conditions written in the request say what is to be supposed of the
caller and the program image, so that a line of the log or of policy can be asked about as it is.
"""

from __future__ import annotations

import os
import re
from dataclasses import fields, replace
from typing import Any, Final

from sekisho.decide.request import Execution, Facts, Inode, Request, Task
from sekisho.engine.supervisor.objects.naming import inode
from sekisho.errors import UserError
from sekisho.names.pattern import is_pattern
from sekisho.names.word import decode, encode
from sekisho.policy.grammar import NUMERIC, Operand
from sekisho.policy.model import AclEntry, Condition, Number
from sekisho.policy.parser import parse_acl

_TASK: Final = frozenset(f"task.{field.name}" for field in fields(Task) if field.name != "execute_handler")
_ARGUMENT: Final = re.compile(r"exec\.argv\[(\d+)\]")
_VARIABLE: Final = re.compile(r'exec\.envp\["(.+)"\]')
_STANDING: Final = frozenset({"automatic", "handler", "denied handler"})
_MANY_ARGUMENTS: Final = 4096


class SupposedFacts(Facts):
    """Facts that are set one by one."""


def suppose(text: str) -> Request:
    """The request that ``text`` writes; raises UserError if it is none, or more than one."""
    entry = parse_acl(text, source="REQUEST")
    if len(entry.operations) > 1:
        keywords = ", ".join(operation.keyword for operation in entry.operations)
        raise UserError(f"REQUEST asks for {len(entry.operations)} things at once: {keywords}", "ask for one")
    if entry.operations[0].group in _STANDING:
        raise UserError(
            f"REQUEST: {entry.operations[0].keyword} is nothing that a program asks for",
            "ask for what the program does; the answer says whether it moves or an execute handler runs",
        )
    arguments = tuple(_argument(operand) for operand in _pairs(entry))
    facts = SupposedFacts()
    _look_at_files(facts, entry, arguments)
    for condition in entry.conditions:
        _suppose_condition(facts, condition)
    if entry.operations[0].keyword == "file execute":
        _complete_execution(facts, str(arguments[0]))
    return Request(entry.operations[0], arguments, facts, ignore_first=_ignores_device(arguments, entry))


def _pairs(entry: AclEntry) -> list[tuple[Operand, str, Number | None]]:
    return [
        (kind, value.text, value if isinstance(value, Number) else None)
        for kind, value in zip(entry.operations[0].operands, entry.operands, strict=True)
    ]


def _argument(operand: tuple[Operand, str, Number | None]) -> str | int:
    kind, text, number = operand
    if text.startswith("@") and kind is not Operand.DOMAIN:
        raise UserError(f"REQUEST: {text} is a group", "give one of its members")
    if kind in NUMERIC and number is not None:
        if number.low != number.high:
            raise UserError(f"REQUEST: {text} is a range", "give one number")
        return number.low
    if kind is Operand.NAME and is_pattern(text):
        raise UserError(f"REQUEST: {text} is a pattern", "give one name that it matches")
    if kind is Operand.ADDRESS and "-" in text:
        raise UserError(f"REQUEST: {text} is a range", "give one address")
    return text


def _look_at_files(facts: SupposedFacts, entry: AclEntry, arguments: tuple[str | int, ...]) -> None:
    operation = entry.operations[0]
    if operation.category != "file":
        return
    names = [str(name) for kind, name in zip(operation.operands, arguments, strict=True) if kind is Operand.NAME]
    if operation.group == "mount":
        # path1 is the source, path2 the mount point (spec e).
        names = names[:2]
    facts.path1, facts.path1_parent = _inodes(names[0])
    if len(names) > 1:
        facts.path2, facts.path2_parent = _inodes(names[1])


def _inodes(name: str) -> tuple[Inode | None, Inode | None]:
    if not name.startswith("/"):
        return None, None
    path = decode(name).rstrip(b"/") or b"/"
    return _inode(path), _inode(os.path.dirname(path))


def _inode(path: bytes) -> Inode | None:
    try:
        return inode(os.lstat(path))
    except OSError:
        return None


def _suppose_condition(facts: SupposedFacts, condition: Condition) -> None:
    argument, variable = _ARGUMENT.fullmatch(condition.left), _VARIABLE.fullmatch(condition.left)
    value = condition.right
    execution = facts.execution or Execution("", (), ())
    if not condition.equal:
        raise UserError(f"REQUEST: {condition.text} doesn't say what is", "suppose facts with =")
    if condition.left == "task.type":
        facts.task = replace(facts.task, execute_handler=True)
    elif condition.left in _TASK and value.isdigit():
        number: dict[str, Any] = {condition.left.removeprefix("task."): int(value, 0)}
        facts.task = replace(facts.task, **number)
    elif condition.left == "symlink.target":
        facts.symlink_target = _string(value)
    elif condition.left == "exec.realpath":
        facts.execution = replace(execution, realpath=_string(value))
    elif argument is not None and int(argument[1]) < _MANY_ARGUMENTS:
        place = int(argument[1])
        argv = list(execution.argv) + [b""] * (place + 1 - len(execution.argv))
        argv[place] = decode(_string(value))
        facts.execution = replace(execution, argv=tuple(argv))
    elif variable is not None and value != "NULL":
        setting = decode(variable[1]) + b"=" + decode(_string(value))
        facts.execution = replace(execution, envp=(*execution.envp, setting))
    else:
        hint = "task.*, exec.realpath, exec.argv[], exec.envp[] and symlink.target can be; files are looked at"
        raise UserError(f"REQUEST: {condition.text} can't be supposed", hint)


def _string(text: str) -> str:
    inner = text.removeprefix('"').removesuffix('"')
    if text.startswith("@") or is_pattern(inner):
        raise UserError(f"REQUEST: {text} isn't one value", "give one")
    return inner


def _complete_execution(facts: SupposedFacts, name: str) -> None:
    """What wasn't said of the image is as if a shell executed the program by this name, without arguments."""
    execution = facts.execution or Execution("", (), ())
    raw = decode(name)
    realpath = execution.realpath or encode(os.path.realpath(raw))
    facts.execution = replace(execution, realpath=realpath, argv=execution.argv or (raw,))


def _ignores_device(arguments: tuple[str | int, ...], entry: AclEntry) -> bool:
    if entry.operations[0].group != "mount":
        return False
    kind = str(arguments[2])
    return kind == "--remount" or kind.startswith("--make-") or not str(arguments[0]).startswith("/")
