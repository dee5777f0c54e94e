"""``allow_…`` entries of TOMOYO 1.7, 2.2 and 2.3 as today's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from sekisho.convert.capabilities import capability
from sekisho.convert.conditions import conditions, split_conditions
from sekisho.convert.dialect import Dialect
from sekisho.convert.names import domain, mount_point, name, names
from sekisho.convert.overwriting import Covered, Overwriting
from sekisho.convert.remark import LeftOut, Notes

ANY_DEVICE: Final = "ANY_DEVICE"
"""The path_group that a mount of TOMOYO 2.2 refers to, which named the mount point only."""

_MODE, _ID, _COMMAND = "0-07777", "0-4294967295", "0x0-0xFFFFFFFF"
_FILE: Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    **dict.fromkeys("execute read unlink rmdir symlink chroot unmount".split(), (1, ())),
    **dict.fromkeys("link rename pivot_root".split(), (2, ())),
    **dict.fromkeys("create mkdir mkfifo mksock chmod".split(), (1, (_MODE,))),
    **dict.fromkeys("chown chgrp".split(), (1, (_ID,))),
    **dict.fromkeys("mkblock mkchar".split(), (1, (_MODE, _ID, _ID))),
    "ioctl": (1, (_COMMAND,)),
}
"""How many names an ``allow_`` keyword takes, and the numbers that cover all where TOMOYO 2.2 took none."""

_NETWORK: Final = {
    **{f"TCP {word}": f"inet stream {word}" for word in ("bind", "listen", "connect", "accept")},
    "UDP bind": "inet dgram bind",
    "UDP connect": "inet dgram send/recv",
    "RAW bind": "inet raw bind",
    "RAW connect": "inet raw send/recv",
}
_BITS: Final = {4: "read", 2: "write", 1: "execute"}


@dataclass(slots=True)
class Scope:
    """What entries are read in: the language, the domain, and what the rest of the policy says about them."""

    dialect: Dialect
    notes: Notes
    overwriting: Overwriting
    domain: str = "<kernel>"
    writes: list[str] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)
    """The names of all ``allow_write`` and ``allow_rewrite`` of the domain."""
    needs_any_device: bool = False


def entry(words: list[str], scope: Scope) -> list[str]:
    """The lines that say today what an entry says.

    Raises:
        LeftOut: none does.
    """
    words, clauses, setting = split_conditions(words)
    if not words:
        raise LeftOut("there is no entry")
    suffixes = conditions(clauses, setting, scope.dialect, scope.notes)
    return [" ".join([line, *suffixes]) for line in _lines(words, scope)]


def written_names(words: list[str]) -> tuple[list[str], list[str]]:
    """The names that an entry allows to write, and to overwrite."""
    if len(words) < 2:
        return [], []
    keyword = words[0]
    writes = keyword in ("allow_write", "allow_read/write") or (_is_bits(keyword) and int(keyword) & 2)
    return ([words[1]] if writes else []), ([words[1]] if keyword == "allow_rewrite" else [])


def _lines(words: list[str], scope: Scope) -> list[str]:
    keyword, operands = words[0], words[1:]
    if keyword in ("allow_read/write", "allow_write") or _is_bits(keyword):
        return _open(keyword, operands, scope)
    special = _SPECIAL.get(keyword)
    if special is not None:
        return special(operands, scope)
    word = keyword.removeprefix("allow_")
    if word == keyword or word not in _FILE:
        raise LeftOut(f"{keyword!r} is nothing that TOMOYO {scope.dialect} knows", "see docs/language.md, Entries")
    count, numbers = _FILE[word]
    if numbers and len(operands) == count:
        if scope.dialect is not Dialect.V22:
            scope.notes.changed(f"{keyword} takes numbers, and there are none: all are allowed", "narrow the line")
        operands = [*operands, *numbers]
    choices = [names(operand, scope.dialect, scope.notes) for operand in operands[:count]]
    return [" ".join([f"file {word}", *choice, *operands[count:]]) for choice in product(*choices)]


def _is_bits(keyword: str) -> bool:
    return len(keyword) == 1 and keyword in "1234567"


def _open(keyword: str, operands: list[str], scope: Scope) -> list[str]:
    asked = keyword.removeprefix("allow_").split("/")
    if _is_bits(keyword):
        asked = [word for bit, word in _BITS.items() if int(keyword) & bit]
    operations: list[str] = [word for word in ("execute", "read") if word in asked]
    if "write" in asked and operands:
        operations += ["write", "append"] if _may_overwrite(operands[0], scope) else ["append"]
    found = names(operands[0], scope.dialect, scope.notes) if operands else [""]
    return [" ".join([f"file {'/'.join(operations)}", name, *operands[1:]]).rstrip() for name in found]


def _may_overwrite(written: str, scope: Scope) -> bool:
    denied = scope.overwriting.is_denied(written)
    if denied is Covered.NO or scope.overwriting.covered(written, scope.rewrites) is Covered.YES:
        return True
    reason = "deny_rewrite covers it" if denied is Covered.YES else "deny_rewrite may cover part of it"
    scope.notes.changed(f"{reason}, so only file append is granted", "add file write for what may be overwritten")
    return False


def _truncate(operands: list[str], scope: Scope) -> list[str]:
    over = scope.overwriting
    is_denied = bool(operands) and over.is_denied(operands[0]) is not Covered.NO
    if is_denied and over.covered(operands[0], scope.rewrites) is not Covered.YES:
        raise LeftOut("deny_rewrite forbids to truncate it, too", "add file truncate for what may be truncated")
    found = names(operands[0], scope.dialect, scope.notes) if operands else [""]
    return [" ".join(["file truncate", name, *operands[1:]]).rstrip() for name in found]


def _rewrite(operands: list[str], scope: Scope) -> list[str]:
    """``allow_rewrite``: what it names may be overwritten, if the domain may write it at all."""
    if len(operands) != 1:
        raise LeftOut("allow_rewrite takes one name")
    name_ = operands[0]
    if scope.overwriting.is_denied(name_) is Covered.NO:
        scope.notes.left_out("no deny_rewrite covers it: file write says it already")
        return []
    if any(scope.overwriting.covered(written, [name_]) is Covered.YES for written in scope.writes):
        return []  # allow_write of it became file write
    if scope.overwriting.covered(name_, scope.writes) is Covered.YES:
        return [f"file write {found}" for found in names(name_, scope.dialect, scope.notes)]
    raise LeftOut("no allow_write of the domain is known to cover it", "add file write for what may be overwritten")


def _mount(operands: list[str], scope: Scope) -> list[str]:
    if len(operands) == 1:  # TOMOYO 2.2
        scope.needs_any_device = True
        points = mount_point(operands[0], scope.dialect, scope.notes)
        return [rf"file mount @{ANY_DEVICE} {point} \* {_COMMAND}" for point in points]
    if len(operands) < 2:
        raise LeftOut("allow_mount takes a device, a mount point, a file system type and flags")
    devices = names(operands[0], scope.dialect, scope.notes)
    points = mount_point(operands[1], scope.dialect, scope.notes)
    return [" ".join(["file mount", *pair, *operands[2:]]) for pair in product(devices, points)]


def _network(operands: list[str], scope: Scope) -> list[str]:
    kind = _NETWORK.get(" ".join(operands[:2]))
    if kind is None:
        raise LeftOut(f"{' '.join(operands[:2])!r} is no operation of allow_network", "see docs/language.md, Entries")
    return [" ".join([f"network {kind}", *operands[2:]])]


def _signal(operands: list[str], scope: Scope) -> list[str]:
    if len(operands) < 2:
        raise LeftOut("allow_signal takes a number and a domainname")
    return [f"ipc signal {operands[0]} {domain(operands[1:], scope.dialect, scope.notes)}"]


def _transit(operands: list[str], scope: Scope) -> list[str]:
    scope.notes.changed(
        "the program has to write the whole domainname into self_domain, not one name into .transition",
        "change the program",
    )
    return [f"task manual_domain_transition {scope.domain} {' '.join(operands)}"]


def _argv0(operands: list[str], scope: Scope) -> list[str]:
    program = operands[0] if operands else "PROGRAM"
    called = operands[1] if len(operands) > 1 else "NAME"
    raise LeftOut(
        "what a program is called with is a condition today",
        f'write file execute {program} exec.argv[0]="{called}"',
    )


def _handler(keyword: str) -> Callable[[list[str], Scope], list[str]]:
    def handler(operands: list[str], scope: Scope) -> list[str]:
        return [" ".join([keyword, *(name(operand, scope.dialect, scope.notes) for operand in operands)])]

    return handler


_SPECIAL: Final[dict[str, Callable[[list[str], Scope], list[str]]]] = {
    "allow_truncate": _truncate,
    "allow_rewrite": _rewrite,
    "allow_mount": _mount,
    "allow_network": _network,
    "allow_signal": _signal,
    "allow_transit": _transit,
    "allow_argv0": _argv0,
    "allow_env": lambda operands, scope: [" ".join(["misc env", *operands])],
    "allow_capability": lambda operands, scope: [capability(operands)],
    "execute_handler": _handler("task auto_execute_handler"),
    "denied_execute_handler": _handler("task denied_execute_handler"),
}
