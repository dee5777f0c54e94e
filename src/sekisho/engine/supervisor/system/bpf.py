"""The classic-BPF program that decides in the kernel which calls stop and ask (seccomp(2))."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

RET_ALLOW: Final = 0x7FFF0000
RET_USER_NOTIF: Final = 0x7FC00000
RET_ERRNO: Final = 0x00050000
_ENOSYS: Final = 38
_LOAD, _JUMP, _JEQ, _JGE, _JSET, _RET = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARGS = 0, 4, 16


@dataclass(frozen=True, slots=True)
class Where:
    """Ask only when argument ``arg``'s low half is one of ``values``, or none of ``others``, or has one of ``bits``, or
    when it isn't zero; ``within`` (argument, values): only where that one's low half is among them, too."""

    arg: int
    values: tuple[int, ...] = ()
    bits: int = 0
    nonzero: bool = False
    others: tuple[int, ...] = ()
    within: tuple[int, tuple[int, ...]] | None = None


def _code(opcode: int, k: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("HBBI", opcode, true, false, k & 0xFFFFFFFF)


_ASK: Final = _code(_RET, RET_USER_NOTIF)
_ALLOW: Final = _code(_RET, RET_ALLOW)


def _test(where: Where) -> list[bytes]:
    """Instructions that ask when ``where`` holds and fall through when not."""
    low, high = _ARGS + 8 * where.arg, _ARGS + 8 * where.arg + 4
    out: list[bytes] = []
    if where.nonzero:
        for half in (low, high):
            out += [_code(_LOAD, half), _code(_JEQ, 0, 1, 0), _ASK]
    if where.values or where.bits or where.others:
        out.append(_code(_LOAD, low))
    for value in where.values:
        out += [_code(_JEQ, value, 0, 1), _ASK]
    if where.bits:
        out += [_code(_JSET, where.bits, 0, 1), _ASK]
    if where.others:
        left = range(len(where.others), 0, -1)
        out += [_code(_JEQ, value, skip) for value, skip in zip(where.others, left, strict=True)]
        out.append(_ASK)
    return out if where.within is None else _guarded(*where.within, out)


def _guarded(arg: int, values: tuple[int, ...], body: list[bytes]) -> list[bytes]:
    """``body`` where argument ``arg``'s low half is one of ``values``, else behind it."""
    left = range(len(values), 0, -1)
    tests = [_code(_JEQ, value, skip) for value, skip in zip(values, left, strict=True)]
    return [_code(_LOAD, _ARGS + 8 * arg), *tests, _code(_JUMP, len(body)), *body]


def assemble(audit_arch: int, foreign_bit: int, calls: Mapping[int, Iterable[Where]]) -> bytes:
    """The filter: foreign ABIs always ask (x32 is answered ENOSYS), listed calls ask where told, the rest runs.

    ``calls`` maps a system call number to its conditions, none meaning always.
    """
    out = [_code(_LOAD, _ARCH), _code(_JEQ, audit_arch, 1, 0), _ASK, _code(_LOAD, _NR)]
    if foreign_bit:
        out += [_code(_JGE, foreign_bit, 0, 1), _code(_RET, RET_ERRNO | _ENOSYS)]
    for number, conditions in sorted(calls.items()):
        body = [piece for where in conditions for piece in _test(where)]
        body = [*body, _ALLOW] if body else [_ASK]
        out += [_code(_JEQ, number, 0, len(body)), *body]
    out.append(_ALLOW)
    return b"".join(out)
