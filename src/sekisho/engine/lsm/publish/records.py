"""A compiled list as what stands in maps: keys and values, packed."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.lists import CompiledList

Records = dict[str, tuple[bytes, bytes]]
"""By table: keys one behind the other, and as many values."""

_YES = b"\1"


def records_of(compiled: CompiledList, number: int) -> Records:
    """What stands in maps for the list whose id is ``number``; its header, by which it is found, comes last."""
    records: Records = {
        "rules": _rows(number, compiled.rules),
        "clauses": _rows(number, compiled.clauses),
        "ranges": _rows(number, compiled.ranges),
        "intervals": _rows(number, compiled.intervals),
        "found": (
            _packed(layout.FoundKey(number, operand) for operand in compiled.found),
            _packed(compiled.found.values()),
        ),
        "pairs": (
            _packed(layout.PairKey(number, bit, first, 0, second) for bit, first, second in compiled.pairs),
            _YES * len(compiled.pairs),
        ),
        "endpoints": (
            _packed(_endpoint(number, *endpoint) for endpoint in compiled.endpoints),
            _YES * len(compiled.endpoints),
        ),
        "lists": (number.to_bytes(4, "little"), bytes(compiled.header)),
    }
    return {table: pair for table, pair in records.items() if pair[0]}


def words_of(compiled: CompiledList) -> set[int]:
    """The names that the list gives to programs: domains may come to be called after them."""
    words = {found.last for found in compiled.found.values()}
    for rule in compiled.rules:
        words.add(rule.candidate)
        if rule.preference == layout.PREFER_PATH:
            words.add(rule.target)
        if rule.flags & layout.RULE_MOVE_CHILD:
            words.add(rule.move)
    return words - {0}


def _rows(number: int, values: Iterable[ctypes.Structure]) -> tuple[bytes, bytes]:
    rows = [bytes(value) for value in values]
    return _packed(layout.PlaceKey(number, place) for place in range(len(rows))), b"".join(rows)


def _endpoint(number: int, bit: int, port: int, version: int, address: int) -> layout.EndpointKey:
    octets = (ctypes.c_uint8 * 16)(*address.to_bytes(16, "big"))
    return layout.EndpointKey(number, bit, port, version, octets)


def _packed(values: Iterable[ctypes.Structure]) -> bytes:
    return b"".join([bytes(value) for value in values])
