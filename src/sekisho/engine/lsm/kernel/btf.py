"""BTF: the types that an object carries of itself."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sekisho.engine.lsm.kernel.refusal import BadObject

_MAGIC: Final = 0xEB9F
_HEADER: Final = struct.Struct("<HBBIIIII")
_TYPE: Final = struct.Struct("<III")

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT = range(1, 12)
FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = range(12, 20)

_TRAILERS: Final = {
    INT: ("<I", False),
    ARRAY: ("<III", False),
    STRUCT: ("<III", True),
    UNION: ("<III", True),
    ENUM: ("<Ii", True),
    FUNC_PROTO: ("<II", True),
    VAR: ("<I", False),
    DATASEC: ("<III", True),
    DECL_TAG: ("<i", False),
    ENUM64: ("<III", True),
}
"""By kind: what follows a type, and whether as many times as it has members."""
_QUALIFIERS: Final = {TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG}
_SIZED: Final = {INT, STRUCT, UNION, ENUM, DATASEC, FLOAT, ENUM64}
_POINTER_BYTES: Final = 8

FUNC_STATIC, FUNC_GLOBAL = 0, 1


@dataclass(frozen=True, slots=True)
class Type:
    """One type. ``ref`` is its size or the type that it is of; ``rows`` are what follows it, as the format has them."""

    id: int
    name: str
    kind: int
    length: int
    flag: bool
    ref: int
    rows: tuple[tuple[int, ...], ...]
    at: int
    """Where it begins in the data."""


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a structure; ``offset`` is in bytes, ``type`` an id."""

    name: str
    offset: int
    type: int


class Btf:
    """The types of one object."""

    def __init__(self, raw: bytes) -> None:
        """Raises BadObject."""
        self.raw = raw
        try:
            magic, _, _, header, start, length, strings, size = _HEADER.unpack_from(raw)
            if magic != _MAGIC:
                raise BadObject("the types of the object aren't BTF")
            self._strings = raw[header + strings : header + strings + size]
            self.types = [Type(0, "", 0, 0, False, 0, (), 0), *self._types(header + start, header + start + length)]
        except (struct.error, IndexError, ValueError, KeyError) as error:
            raise BadObject(f"the object's types can't be read: {error}") from error

    def _types(self, at: int, end: int) -> Iterator[Type]:
        number = 1
        while at < end:
            name, info, ref = _TYPE.unpack_from(self.raw, at)
            kind, length = info >> 24 & 31, info & 0xFFFF
            shape, many = _TRAILERS.get(kind, ("", False))
            begin = at + _TYPE.size
            size = struct.calcsize(shape) * (length if many else 1) if shape else 0
            rows = tuple(struct.iter_unpack(shape, self.raw[begin : begin + size])) if size else ()
            yield Type(number, self.string(name), kind, length, bool(info >> 31), ref, rows, at)
            at = begin + size
            number += 1

    def string(self, offset: int) -> str:
        """The string at ``offset`` of the string table."""
        return self._strings[offset : self._strings.index(0, offset)].decode()

    def find(self, kind: int, name: str) -> Type | None:
        """The first type of that kind and name."""
        return next((each for each in self.types if each.kind == kind and each.name == name), None)

    def plain(self, number: int) -> Type:
        """The type behind names, const and the like."""
        found = self.types[number]
        while found.kind in _QUALIFIERS:
            found = self.types[found.ref]
        return found

    def size(self, number: int) -> int:
        """How many bytes a value of the type takes."""
        found = self.plain(number)
        if found.kind == PTR:
            return _POINTER_BYTES
        if found.kind == ARRAY:
            element, _, count = found.rows[0]
            return self.size(element) * count
        if found.kind == VAR:
            return self.size(found.ref)
        if found.kind not in _SIZED:
            raise BadObject(f"a type without a size: {found}")
        return found.ref

    def fields(self, structure: Type) -> list[Field]:
        """The members of a structure, in order. Bit fields aren't for us."""
        mask = 0xFFFFFF if structure.flag else 0xFFFFFFFF
        return [Field(self.string(name), (bits & mask) // 8, number) for name, number, bits in structure.rows]

    def variables(self, section: str) -> list[tuple[Type, int, int]]:
        """Each variable of a data section with the place of its row in the data, and its size."""
        found = self.find(DATASEC, section)
        if found is None:
            return []
        first = found.at + _TYPE.size
        return [(self.types[row[0]], first + 12 * place, row[2]) for place, row in enumerate(found.rows)]

    def enumerators(self) -> dict[str, int]:
        """All constants of all enumerations."""
        found = {self.string(row[0]): row[1] for each in self.types if each.kind == ENUM for row in each.rows}
        for each in self.types:
            if each.kind == ENUM64:
                found |= {self.string(name): low | high << 32 for name, low, high in each.rows}
        return found

    def completed(self, sizes: Mapping[str, int], places: Mapping[tuple[str, str], int], hidden: set[str]) -> bytes:
        """The data as the kernel wants it: sections have sizes, variables have places, in ascending order.

        ``places`` are by section and variable; ``hidden`` functions are verified where they are called, as static
        ones are.
        """
        data = bytearray(self.raw)
        for each in self.types:
            if each.kind == DATASEC:
                struct.pack_into("<I", data, each.at + 8, sizes.get(each.name, each.ref))
                rows = sorted((places.get((each.name, self.types[n].name), o), n, s) for n, o, s in each.rows)
                for place, (offset, number, size) in enumerate(rows):
                    struct.pack_into("<III", data, each.at + _TYPE.size + 12 * place, number, offset, size)
            elif each.kind == FUNC and each.length == FUNC_GLOBAL and each.name in hidden:
                struct.pack_into("<I", data, each.at + 4, FUNC << 24 | FUNC_STATIC)
        return bytes(data)
