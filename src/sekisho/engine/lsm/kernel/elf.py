"""Relocatable ELF objects as clang makes them for BPF: sections, symbols, relocations. 64 bit, little endian."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from sekisho.engine.lsm.kernel.refusal import BadObject

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_RELOCATION: Final = struct.Struct("<QQ")
_MAGIC: Final = b"\x7fELF\x02\x01\x01"
_RELOCATABLE: Final = 1
_BPF: Final = 247

_SYMTAB, _NOBITS, _REL = 2, 8, 9
_EXECUTABLE: Final = 4

OBJECT, FUNCTION, SECTION = 1, 2, 3
"""Kinds of symbol."""
LOCAL, GLOBAL, WEAK = 0, 1, 2
HIDDEN: Final = 2
UNDEFINED: Final = 0


@dataclass(frozen=True, slots=True)
class Section:
    """One section; ``data`` of one that only reserves room is zeroes."""

    index: int
    name: str
    executable: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol; ``value`` is its offset in ``section``."""

    name: str
    kind: int
    binding: int
    visibility: int
    section: int
    value: int
    size: int


@dataclass(frozen=True, slots=True)
class Relocation:
    """At ``offset`` of its section the address of ``symbol`` is meant."""

    offset: int
    kind: int
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class Elf:
    """An object, read. ``relocations`` are by the index of the section that they are in."""

    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    relocations: dict[int, tuple[Relocation, ...]]

    def section(self, name: str) -> Section | None:
        """The section of that name."""
        return next((section for section in self.sections if section.name == name), None)


def read(raw: bytes) -> Elf:
    """The object in ``raw``. Raises BadObject."""
    try:
        return _read(raw)
    except (struct.error, IndexError, ValueError) as error:
        raise BadObject(f"not a whole ELF object: {error}") from error


def _read(raw: bytes) -> Elf:
    ident, kind, machine, _, _, _, at, _, _, _, _, size, count, names = _HEADER.unpack_from(raw)
    if not ident.startswith(_MAGIC) or kind != _RELOCATABLE or machine != _BPF or size != _SECTION.size:
        raise BadObject("not a relocatable BPF object")
    rows = [_SECTION.unpack_from(raw, at + size * place) for place in range(count)]
    contents = [bytes(row[5]) if row[1] == _NOBITS else raw[row[4] : row[4] + row[5]] for row in rows]
    sections = tuple(
        Section(index, _string(contents[names], row[0]), bool(row[2] & _EXECUTABLE), contents[index])
        for index, row in enumerate(rows)
    )
    tables = [index for index, row in enumerate(rows) if row[1] == _SYMTAB]
    if not tables:
        raise BadObject("an object without symbols")
    strings = contents[rows[tables[0]][6]]
    symbols = tuple(_symbol(fields, strings, sections) for fields in _SYMBOL.iter_unpack(contents[tables[0]]))
    return Elf(
        sections,
        symbols,
        {
            row[7]: tuple(
                Relocation(offset, info & 0xFFFFFFFF, symbols[info >> 32])
                for offset, info in _RELOCATION.iter_unpack(contents[index])
            )
            for index, row in enumerate(rows)
            if row[1] == _REL
        },
    )


def _symbol(fields: tuple[int, ...], strings: bytes, sections: tuple[Section, ...]) -> Symbol:
    name, info, other, section, value, size = fields
    kind = info & 15
    text = sections[section].name if kind == SECTION else _string(strings, name)
    return Symbol(text, kind, info >> 4, other & 3, section, value, size)


def _string(table: bytes, offset: int) -> str:
    return table[offset : table.index(0, offset)].decode()
