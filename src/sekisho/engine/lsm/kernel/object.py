"""An object file of ours: the programs in it, the maps that they use, its variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sekisho.engine.lsm.kernel import elf, extension
from sekisho.engine.lsm.kernel.btf import ARRAY, DATASEC, PTR, Btf, Type
from sekisho.engine.lsm.kernel.code import Assembler, Code, is_data
from sekisho.engine.lsm.kernel.refusal import BadObject

_ARRAY_MAP: Final = 2
_RDONLY_PROG, _MMAPABLE = 1 << 7, 1 << 10
_TYPES: Final = ("key", "value")
_NUMBERS: Final = {
    "type": "type",
    "max_entries": "entries",
    "map_flags": "flags",
    "key_size": "key_size",
    "value_size": "value_size",
}


@dataclass(frozen=True, slots=True)
class MapShape:
    """What a map is made like. ``contents`` are what a section of variables begins with."""

    name: str
    type: int
    key_size: int = 0
    value_size: int = 0
    entries: int = 0
    flags: int = 0
    key_type: int = 0
    value_type: int = 0
    contents: bytes = field(default=b"", repr=False)
    constant: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One program as it is in the object."""

    name: str
    section: str
    code: Code = field(repr=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """Where a variable is: in the value of the map named after its section."""

    section: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Object:
    """The file, understood: nothing of it is in the kernel yet."""

    programs: dict[str, Source]
    maps: dict[str, MapShape]
    variables: dict[str, Variable]
    btf: Btf = field(repr=False)
    types: bytes = field(repr=False)
    """The BTF that the kernel is given."""
    note_sizes: tuple[int, int, int]
    """Of one function, line, field record."""
    license: bytes


def read(raw: bytes) -> Object:
    """The object in ``raw``. Raises BadObject."""
    file = elf.read(raw)
    types, notes = file.section(".BTF"), file.section(".BTF.ext")
    if types is None or notes is None:
        raise BadObject("the object has no BTF: it has to be compiled with -g")
    btf = Btf(types.data)
    about = extension.read(notes.data, btf)
    maps = {shape.name: shape for shape in (_shape(btf, each) for each, _, _ in btf.variables(".maps"))}
    assembler = Assembler(file, about, frozenset(maps))
    programs = {
        function.name: Source(function.name, file.sections[function.section].name, assembler.assemble(function))
        for function in assembler.functions.values()
        if file.sections[function.section].name != ".text"
    }
    text = file.section("license")
    return Object(
        programs,
        maps | _data_maps(file, btf),
        _variables(file, btf),
        btf,
        _completed(file, btf),
        (about.functions.size, about.lines.size, about.fields.size),
        text.data if text else b"\0",
    )


def _completed(file: elf.Elf, btf: Btf) -> bytes:
    places = {
        (file.sections[symbol.section].name, symbol.name): symbol.value
        for symbol in file.symbols
        if symbol.kind == elf.OBJECT and 0 < symbol.section < len(file.sections)
    }
    hidden = {symbol.name for symbol in file.symbols if symbol.kind == elf.FUNCTION and symbol.visibility == elf.HIDDEN}
    return btf.completed({section.name: len(section.data) for section in file.sections}, places, hidden)


def _shape(btf: Btf, variable: Type) -> MapShape:
    """A map as its definition has it: a structure whose members point to types, or to arrays as long as a number."""
    numbers: dict[str, int] = {}
    for member in btf.fields(btf.plain(variable.ref)):
        pointed = btf.plain(member.type)
        if pointed.kind != PTR:
            raise BadObject(f"map {variable.name}: {member.name} isn't understood")
        if member.name in _TYPES:
            numbers[f"{member.name}_size"] = btf.size(pointed.ref)
            numbers[f"{member.name}_type"] = pointed.ref
        elif member.name in _NUMBERS and btf.plain(pointed.ref).kind == ARRAY:
            numbers[_NUMBERS[member.name]] = btf.plain(pointed.ref).rows[0][2]
        else:
            raise BadObject(f"map {variable.name}: {member.name} isn't understood")
    key, value, entries, flags = (numbers.get(name, 0) for name in ("key_size", "value_size", "entries", "flags"))
    types = numbers.get("key_type", 0), numbers.get("value_type", 0)
    return MapShape(variable.name, numbers.get("type", 0), key, value, entries, flags, *types)


def _data_maps(file: elf.Elf, btf: Btf) -> dict[str, MapShape]:
    found = {}
    for section in file.sections:
        if is_data(section.name) and section.data:
            types = btf.find(DATASEC, section.name)
            constant = section.name.startswith(".rodata")
            found[section.name] = MapShape(
                section.name,
                _ARRAY_MAP,
                4,
                len(section.data),
                1,
                _MMAPABLE | (_RDONLY_PROG if constant else 0),
                0,
                types.id if types else 0,
                section.data,
                constant,
            )
    return found


def _variables(file: elf.Elf, btf: Btf) -> dict[str, Variable]:
    sizes = {
        (section.name, each.name): btf.size(each.id)
        for section in file.sections
        if is_data(section.name)
        for each, _, _ in btf.variables(section.name)
    }
    return {
        symbol.name: Variable(name, symbol.value, sizes[name, symbol.name])
        for symbol in file.symbols
        if symbol.kind == elf.OBJECT
        and symbol.section < len(file.sections)
        and (name := file.sections[symbol.section].name, symbol.name) in sizes
    }
