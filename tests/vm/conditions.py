"""Random conditions that may hold of a request. For tests/vm/pairs.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.vm.words import COMPONENTS, Words

from sekisho.names.word import encode
from sekisho.policy.conditions import OPERANDS
from sekisho.policy.grammar import Operation

_TYPES: Final = ("socket", "symlink", "file", "block", "directory", "char", "fifo")
_BITS: Final = tuple(f"{who}_{what}" for who in ("owner", "group", "others") for what in ("read", "write", "execute"))
_OWNERS: Final = (0, 1, 1000, 65534)
_LEFT: Final = sorted(set(OPERANDS) - {*_TYPES, *_BITS, "setuid", "setgid", "sticky", "task.type"})


@dataclass(frozen=True)
class Subject:
    """What conditions are about: who asks, and for what."""

    ids: dict[str, list[int]]
    request: dict[str, Any]
    operation: Operation


def conditions(words: Words, subject: Subject) -> str:
    """Conditions to stand after an entry, most often none."""
    many = words.chance.choice((0, 0, 0, 1, 1, 1, 2, 3))
    return "".join(f" {_condition(words, subject)}" for _ in range(many))


def _condition(words: Words, subject: Subject) -> str:
    equals = "=" if words.maybe(0.75) else "!="
    request, keyword = subject.request, subject.operation.keyword
    if "program" in request and words.maybe(0.6):
        return _about_execution(words, request, equals)
    if keyword == "file symlink" and words.maybe(0.6):
        target = encode(request["target"].encode("latin-1"))
        right = words.name(target)
        return f"symlink.target{equals}" + (right if right[0] == "@" else f'"{right}"')
    left = (
        words.chance.choice(_LEFT) if words.maybe(0.5) else words.chance.choice(("task.uid", "path1.uid", "path1.perm"))
    )
    return f"{left}{equals}{_right(words, subject, left)}"


def _right(words: Words, subject: Subject, left: str) -> str:
    chance = words.chance
    if words.maybe(0.08):
        return chance.choice(_LEFT)
    last = left.rpartition(".")[2]
    if last == "type":
        return chance.choice(_TYPES)
    if last == "perm" and words.maybe(0.6):
        return chance.choice((*_BITS, "setuid", "setgid", "sticky"))
    if last == "perm":
        return words.number(chance.choice((0o755, 0o644, 0o4755, 0o2711, 0o1777)))
    kind = last.removeprefix("e").removeprefix("s").removeprefix("f")[-3:]
    if kind in ("uid", "gid"):
        place = ("", "e", "s", "fs").index(last.removesuffix(kind)) if last != kind else 0
        value = subject.ids[kind][place] if left.startswith("task") else chance.choice(_OWNERS)
        return words.number(value)
    return words.number(chance.choice((0, 1, 3, 8, 254, 1000)))


def _about_execution(words: Words, request: dict[str, Any], equals: str) -> str:
    chance = words.chance
    _, argv, envp = request["program"]
    what = chance.choice(("realpath", "argv", "envp", "argc", "envc"))
    if what == "realpath":
        right = words.name(request["realpath"])
        return f"exec.realpath{equals}" + (right if right[0] == "@" else f'"{right}"')
    if what == "argv":
        place = chance.randrange(len(argv) + 1)
        raw = argv[place].encode("latin-1") if place < len(argv) else chance.choice(COMPONENTS)
        return f'exec.argv[{place}]{equals}"{words.name(encode(raw), groups=False)}"'
    if what == "envp":
        name, _, value = chance.choice(envp or ["A=a"]).encode("latin-1").partition(b"=")
        name = name if words.maybe(0.8) else b"NONE"
        right = "NULL" if words.maybe(0.3) else f'"{words.name(encode(value), groups=False)}"'
        return f'exec.envp["{encode(name)}"]{equals}{right}'
    return f"exec.{what}{equals}{words.number(len(argv) if what == 'argc' else len(envp))}"
