"""Instructions: a program put together with every function that it calls, as the kernel wants to have it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sekisho.engine.lsm.kernel.elf import FUNCTION, Elf, Relocation
from sekisho.engine.lsm.kernel.extension import Extension
from sekisho.engine.lsm.kernel.refusal import BadObject

SIZE: Final = 8
_INSTRUCTION: Final = struct.Struct("<BBhi")
_LOAD, _CALL = 0x18, 0x85
_PSEUDO_CALL: Final = 1
_PSEUDO_MAP, _PSEUDO_VALUE, _PSEUDO_FUNCTION = 1, 2, 4

_ADDRESS, _CALLED = 1, 10
"""R_BPF_64_64 and R_BPF_64_32."""


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the object, by its section and its offset there; there is one object of each."""

    name: str
    section: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Reference:
    """At an instruction a map is meant, or the byte at ``offset`` of the one value that a map has."""

    at: int
    map: str
    offset: int | None


@dataclass(frozen=True, slots=True)
class Code:
    """A program whole. Notes are packed as BPF_PROG_LOAD takes them."""

    instructions: bytes
    references: tuple[Reference, ...]
    functions: bytes
    lines: bytes
    fields: bytes

    def bound(self, descriptors: Mapping[str, int]) -> bytes:
        """The instructions with the maps put in, by their descriptors."""
        data = bytearray(self.instructions)
        for each in self.references:
            source = _PSEUDO_MAP if each.offset is None else _PSEUDO_VALUE
            data[each.at + 1] = data[each.at + 1] & 15 | source << 4
            struct.pack_into("<i", data, each.at + 4, descriptors[each.map])
            struct.pack_into("<i", data, each.at + SIZE + 4, each.offset or 0)
        return bytes(data)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One function. ``calls`` are where others are called or pointed to; notes have places of its section."""

    data: bytes
    calls: tuple[tuple[int, Function], ...]
    references: tuple[Reference, ...]
    notes: tuple[bytes, bytes, bytes]


class Assembler:
    """Puts programs together from one object; ``maps`` are the names of its .maps symbols."""

    def __init__(self, elf: Elf, notes: Extension, maps: frozenset[str]) -> None:
        self._elf = elf
        self._notes = notes
        self._maps = maps
        self._pieces: dict[Function, _Piece] = {}
        self._relocations = {
            section: {each.offset: each for each in rows}
            for section, rows in elf.relocations.items()
            if elf.sections[section].executable
        }
        self.functions = {
            (symbol.section, symbol.value): Function(symbol.name, symbol.section, symbol.value, symbol.size)
            for symbol in elf.symbols
            if symbol.kind == FUNCTION and elf.sections[symbol.section].executable
        }

    def assemble(self, main: Function) -> Code:
        """``main`` with all that it calls behind it. Raises BadObject."""
        places = {main: 0}
        end = main.size
        order = [main]
        for function in order:  # grows while it is gone through
            for _, called in self._piece(function).calls:
                if called not in places:
                    places[called] = end
                    end += called.size
                    order.append(called)
        data = bytearray()
        references: list[Reference] = []
        for function in order:
            piece = self._piece(function)
            begin = len(data)
            data += piece.data
            for at, called in piece.calls:
                struct.pack_into("<i", data, begin + at + 4, (places[called] - begin - at) // SIZE - 1)
            references += [Reference(begin + each.at, each.map, each.offset) for each in piece.references]
        return Code(bytes(data), tuple(references), *self._noted(places))

    def _noted(self, places: Mapping[Function, int]) -> list[bytes]:
        sorts = ((self._notes.functions, SIZE), (self._notes.lines, SIZE), (self._notes.fields, 1))
        return [
            b"".join(
                notes.moved(self._piece(function).notes[number], place - function.start, unit)
                for function, place in places.items()
            )
            for number, (notes, unit) in enumerate(sorts)
        ]

    def _piece(self, function: Function) -> _Piece:
        if function not in self._pieces:
            self._pieces[function] = self._read(function)
        return self._pieces[function]

    def _read(self, function: Function) -> _Piece:
        section = self._elf.sections[function.section]
        end = function.start + function.size
        data = bytearray(section.data[function.start : end])
        calls: list[tuple[int, Function]] = []
        references: list[Reference] = []
        for at in range(0, len(data), SIZE):
            found = self._instruction(data, at, function)
            if isinstance(found, Function):
                calls.append((at, found))
            elif found is not None:
                references.append(found)
        sorts = (self._notes.functions, self._notes.lines, self._notes.fields)
        one, two, three = (notes.within(section.name, function.start, end) for notes in sorts)
        return _Piece(bytes(data), tuple(calls), tuple(references), (one, two, three))

    def _instruction(self, data: bytearray, at: int, function: Function) -> Function | Reference | None:
        """The function that the instruction at ``at`` calls or points to, or the data that it refers to."""
        code, registers, _, number = _INSTRUCTION.unpack_from(data, at)
        relocation = self._relocations.get(function.section, {}).get(function.start + at)
        if code == _CALL and (relocation is not None or registers >> 4 == _PSEUDO_CALL):
            data[at + 1] = registers & 15 | _PSEUDO_CALL << 4
            return self._called(relocation, number, function.start + at, function)
        if relocation is None:
            return None
        if code != _LOAD or relocation.kind != _ADDRESS:
            raise BadObject(f"{function.name}: a relocation of kind {relocation.kind} isn't understood")
        symbol = relocation.symbol
        section = self._elf.sections[symbol.section]
        if section.executable:
            data[at + 1] = registers & 15 | _PSEUDO_FUNCTION << 4
            struct.pack_into("<i", data, at + SIZE + 4, 0)
            return self._find(symbol.section, symbol.value + number, function)
        if section.name == ".maps" and symbol.name in self._maps:
            return Reference(at, symbol.name, None)
        if is_data(section.name):
            return Reference(at, section.name, symbol.value + number)
        raise BadObject(f"{function.name} needs {symbol.name or section.name}, which isn't in the object")

    def _called(self, relocation: Relocation | None, number: int, offset: int, function: Function) -> Function:
        if relocation is None:
            return self._find(function.section, offset + (number + 1) * SIZE, function)
        if relocation.kind != _CALLED or not relocation.symbol.section:
            raise BadObject(f"{function.name} calls {relocation.symbol.name}, which isn't in the object")
        return self._find(relocation.symbol.section, relocation.symbol.value + (number + 1) * SIZE, function)

    def _find(self, section: int, start: int, caller: Function) -> Function:
        found = self.functions.get((section, start))
        if found is None:
            raise BadObject(f"{caller.name} calls what is no function, at {start} of section {section}")
        return found


def is_data(section: str) -> bool:
    """Whether a section holds variables."""
    return section.startswith((".rodata", ".data", ".bss"))
