"""Conditions: the ``left=right`` and ``left!=right`` clauses after an entry's operands (spec e).

::

    task.uid=0                  a number of the caller's
    exec.argc!=1                                                   exec.{argc envc}
    path1.perm=owner_write      of the object, of its directory    path1. path2. path1.parent. path2.parent.
    path1.type=file             constants                          types and mode bits
    path1.uid=@OWNERS           a number group, on the right only
    exec.realpath="/bin/sh"     strings are patterns in quotes     exec.realpath, symlink.target; or @path_group
    exec.argv[1]="-c"           by decimal index
    exec.envp["HOME"]=NULL      not set, or a string
    task.type=execute_handler   whether it runs as an execute handler
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sekisho.names.word import is_correct_word
from sekisho.policy.lines import Fault
from sekisho.policy.model import Condition
from sekisho.policy.numbers import NotANumber, canonical_number

TYPES: Final = frozenset("socket symlink file block directory char fifo".split())
MODE_BITS: Final = frozenset(
    "setuid setgid sticky owner_read owner_write owner_execute group_read group_write group_execute "
    "others_read others_write others_execute".split()
)


def _operands() -> frozenset[str]:
    task = [f"task.{name}" for name in "uid euid suid fsuid gid egid sgid fsgid pid ppid".split()]
    inode = "uid gid ino major minor perm type dev_major dev_minor".split()
    path = [f"{path}.{name}" for path in ("path1", "path2") for name in inode]
    parent = [f"{path}.parent.{name}" for path in ("path1", "path2") for name in "uid gid ino perm".split()]
    return frozenset([*task, "exec.argc", "exec.envc", *path, *parent, *TYPES, *MODE_BITS])


OPERANDS: Final = _operands()
"""The numeric operands, right on either side; numbers and ranges are too."""

STRINGS: Final = frozenset({"exec.realpath", "symlink.target"})

_ARGV: Final = re.compile(r"exec\.argv\[(0|[1-9][0-9]{0,9}|0[89][0-9]{0,8})\]")


class _Wrong(Exception):
    """A clause is wrong from ``offset`` on."""

    def __init__(self, offset: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint


def condition_at(words: list[str], at: int) -> Condition:
    """The clause that word ``at`` writes."""
    try:
        return _clause(words[at])
    except _Wrong as wrong:
        raise Fault(at, wrong.message, wrong.hint, wrong.offset) from None


@lru_cache(maxsize=16384)
def _clause(word: str) -> Condition:
    left, sign, right = word.partition("=")
    equal = not left.endswith("!")
    if not equal:
        left = left[:-1]
    offset = len(left) + (1 if equal else 2)
    if not sign:
        raise _Wrong(
            0,
            f"expected a condition such as task.uid=0, found {word!r}",
            "a name has no spaces: write \\040 for one" if "/" in word else "",
        )
    if right.startswith("="):
        raise _Wrong(offset - 1, "== is no operator", "write = or !=")
    if left in STRINGS:
        return Condition(left, right if _is_group(right) else _quoted(right, offset), equal)
    if left.startswith("exec.argv["):
        return Condition(_argv(left), _quoted(right, offset), equal)
    if left.startswith("exec.envp["):
        return Condition(_envp(left), right if right == "NULL" else _quoted(right, offset), equal)
    if left == "task.type":
        if right != "execute_handler":
            raise _Wrong(offset, f"expected execute_handler, found {right!r}", "there is no other type of task")
        return Condition(left, right, equal)
    if _is_group(right):
        return Condition(_numeric(left, 0), right, equal)
    return Condition(_numeric(left, 0), _numeric(right, offset), equal)


def _is_group(right: str) -> bool:
    return right[:1] == "@" and is_correct_word(right[1:])


def _numeric(text: str, offset: int) -> str:
    if text in OPERANDS:
        return text
    try:
        return canonical_number(text).text
    except NotANumber as error:
        message, hint = str(error), ""
    if not text:
        message = "expected an operand such as task.uid, or a number, found nothing"
    elif not text[0].isdigit():
        message, hint = f"unknown condition operand {text!r}", _advice(text)
    raise _Wrong(offset, message, hint)


def _advice(text: str) -> str:
    if text[0] == '"':
        return 'only exec.realpath, symlink.target, exec.argv[N] and exec.envp["NAME"] are compared with strings'
    if text[0] == "@":
        return "a group stands on the right, and its name is a correct word"
    if "task.type" in text or text == "execute_handler":
        return "write task.type=execute_handler or task.type!=execute_handler"
    return "see docs/language.md, Conditions, for all there are"


def _quoted(text: str, offset: int) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise _Wrong(offset, f"expected a string in double quotes, found {text!r}", 'write "…"; a space in it is \\040')
    if len(text) > 2 and not is_correct_word(text[1:-1]):
        raise _Wrong(offset + 1, f"{text[1:-1]!r} is no correct name or pattern", WORD_HINT)
    return text


def _argv(left: str) -> str:
    found = _ARGV.fullmatch(left)
    if found is None:
        raise _Wrong(0, f"expected exec.argv[N] with a decimal number, found {left!r}")
    return f"exec.argv[{int(found[1])}]"


def _envp(left: str) -> str:
    name = left.removeprefix('exec.envp["').removesuffix('"]')
    if len(name) != len(left) - len('exec.envp[""]'):
        raise _Wrong(0, f'expected exec.envp["NAME"], found {left!r}')
    if not is_correct_word(name):
        raise _Wrong(len('exec.envp["'), f"{name!r} is no correct name", WORD_HINT)
    return left


WORD_HINT: Final = (
    r"after \ comes \, an operator (* @ ? $ + X x A a - or /\{…\}/), or three octal digits of a byte "
    r"that isn't printable"
)
