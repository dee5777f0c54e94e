""".BTF.ext: what an object says of its instructions: functions, lines, and fields to be found in the running kernel."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from sekisho.engine.lsm.kernel.btf import Btf
from sekisho.engine.lsm.kernel.refusal import BadObject

_MAGIC: Final = 0xEB9F
_HEADER: Final = struct.Struct("<HBBI")
_PART: Final = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Notes:
    """Records of one sort: by section, ascending by place. ``size`` is that of one record.

    A record begins with the offset in bytes, which is left out of ``records``' second half.
    """

    size: int = 0
    records: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)

    def within(self, section: str, start: int, end: int) -> list[tuple[int, bytes]]:
        """Those from ``start`` up to ``end``."""
        return [each for each in self.records.get(section, ()) if start <= each[0] < end]


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
    records: dict[str, list[tuple[int, bytes]]] = {}
    at = 4
    while at < len(raw):
        name, count = _PART.unpack_from(raw, at)
        at += _PART.size
        mine = records.setdefault(btf.string(name), [])
        for _ in range(count):
            mine.append((struct.unpack_from("<I", raw, at)[0], raw[at + 4 : at + size]))
            at += size
        mine.sort(key=lambda each: each[0])
    return Notes(size, records)
