"""A question as ``query`` gives it (spec g.7): who waits, what for, and how policy would say yes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SERIAL: Final = re.compile(r"Q([0-9]+)-([0-9]+)")
_TASK: Final = re.compile(r"task=\{ (.*?) \}")
_GLOBAL: Final = re.compile(r"\(global-pid=([0-9]+)\)")
_REALPATH: Final = re.compile(r'exec=\{ realpath=("[!-~]*?") ')
_ARGUMENT: Final = re.compile(r'argv\[\]=\{ ("[!-~]*?") ')
_ARGUMENTS: Final = re.compile(r'argv\[\]=\{ ((?:"[!-~]*" )*(?:\.\.\. )?)\} envp\[\]=')
_TARGET: Final = re.compile(r'symlink\.target=("[!-~]*?")(?: |$)')


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question. ``line`` is the request as learning would write it down, conditions included."""

    serial: int
    retry: int
    pid: int
    task: dict[str, str]
    """``uid``, ``euid``... of the caller."""
    domain: str
    acl: str
    line: str
    arguments: str = ""
    """What a program is to be executed with, as far as the record has it, each a quoted word."""


def parse_inquiry(raw: bytes) -> Inquiry:
    """The question that one read of ``query`` gave; raises ValueError when it is none."""
    lines = raw.rstrip(b"\0").decode("ascii").split("\n")
    found = _SERIAL.fullmatch(lines[0])
    if found is None or len(lines) < 4:
        raise ValueError(f"no question: {raw[:80]!r}")
    header, domain, acl = lines[1:4]
    pid, task = _GLOBAL.search(header), _TASK.search(header)
    if pid is None or task is None:
        raise ValueError(f"no question: {header[:80]!r}")
    words = dict(word.split("=", 1) for word in task[1].split(" ") if "=" in word)
    with_what = _ARGUMENTS.search(header)
    arguments = with_what[1].rstrip(" ") if with_what is not None else ""
    return Inquiry(int(found[1]), int(found[2]), int(pid[1]), words, domain, acl, _line(header, acl), arguments)


def _line(header: str, acl: str) -> str:
    conditions = []
    if acl.startswith("file execute "):
        for left, expression in (("exec.realpath", _REALPATH), ("exec.argv[0]", _ARGUMENT)):
            value = expression.search(header)
            if value is not None:
                conditions.append(f"{left}={value[1]}")
    elif acl.startswith("file symlink "):
        value = _TARGET.search(header)
        if value is not None:
            conditions.append(f"symlink.target={value[1]}")
    return " ".join([acl, *conditions])
