""".BTF.ext: what an object says of its instructions: functions, lines, and fields to be found in the running kernel."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from sekisho.engine.lsm.kernel.btf import Btf
from sekisho.engine.lsm.kernel.refusal import BadObject

_MAGIC: Final = 0xEB9F
_HEADER: Final = struct.Struct("<HBBI")
_PART: Final = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Notes:
    """Records of one sort, each of ``size`` bytes, which begins with the place in bytes of what it is about.

    By section: the places, ascending, and the records packed.
    """

    size: int = 0
    records: dict[str, tuple[array[int], bytes]] = field(default_factory=dict)

    def within(self, section: str, start: int, end: int) -> bytes:
        """Those from ``start`` up to ``end``, packed."""
        places, packed = self.records.get(section, ((), b""))
        return packed[bisect_left(places, start) * self.size : bisect_left(places, end) * self.size]

    def moved(self, packed: bytes, by: int, unit: int) -> bytes:
        """The records with places that are ``by`` bytes further on, and counted in units of so many bytes."""
        words = array("I", packed)
        step = self.size // words.itemsize
        if step:
            words[::step] = array("I", [(place + by) // unit for place in words[::step]])
        return words.tobytes()


@dataclass(frozen=True, slots=True)
class Extension:
    """All three sorts."""

    functions: Notes = Notes()
    lines: Notes = Notes()
    fields: Notes = Notes()


def read(raw: bytes, btf: Btf) -> Extension:
    """The records in ``raw``. Raises BadObject."""
    try:
        magic, _, _, header = _HEADER.unpack_from(raw)
        if magic != _MAGIC:
            raise BadObject("notes on the object's instructions aren't BTF")
        parts = [_PART.unpack_from(raw, at) for at in range(_HEADER.size, min(header, 32), _PART.size)]
        notes = [_notes(raw[header + start : header + start + length], btf) for start, length in parts]
        return Extension(*notes)
    except (struct.error, IndexError, ValueError) as error:
        raise BadObject(f"notes on the object's instructions can't be read: {error}") from error


def _notes(raw: bytes, btf: Btf) -> Notes:
    if not raw:
        return Notes()
    (size,) = struct.unpack_from("<I", raw)
    packed: dict[str, bytes] = {}
    at = 4
    while at < len(raw):
        name, count = _PART.unpack_from(raw, at)
        at += _PART.size
        section = btf.string(name)
        packed[section] = packed.get(section, b"") + raw[at : at + size * count]
        at += size * count
    return Notes(size, {section: _sorted(data, size) for section, data in packed.items()})


def _sorted(data: bytes, size: int) -> tuple[array[int], bytes]:
    rows = sorted((data[at : at + size] for at in range(0, len(data), size)), key=lambda row: row[:4][::-1])
    packed = b"".join(rows)
    return array("I", packed)[:: size // 4], packed
