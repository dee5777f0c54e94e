"""The layout in Python is that in C: compiled, every structure, enumeration and macro of bpf/layout.h is compared."""

from __future__ import annotations

import ctypes
import functools
import re
import struct
from pathlib import Path

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.kernel import btf as types
from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.object import Object

HEADER = Path(__file__).resolve().parents[3] / "bpf/layout.h"
COMMITTED = Path(layout.__file__).with_name("sekisho.bpf.o")

C_ALONE = {
    "name": "layout.name_key makes keys of names",
    "TEXT_BYTES": "scratch memory of the kernel side",
    "CONFIG_MODE": "a mask; modes are the numbers of policy",
    "FACTS_PER_INODE": "len(INODE_FACTS)",
}
"""What has no name of its own in Python, and why."""


@functools.cache
def constants() -> tuple[str, ...]:
    """The macros of the header that stand for numbers."""
    return tuple(re.findall(r"^#define (\w+)[ \t]+\S", HEADER.read_text(), re.MULTILINE))


@functools.cache
def compiled() -> Object:
    """The header, with a variable of each structure and enumeration, and the values of macros."""
    text = HEADER.read_text()
    lines = ['#include "types.h"', "#include <bpf/bpf_helpers.h>", '#include "layout.h"']
    lines += [f"struct {name} a_{name};" for name in re.findall(r"^struct (\w+) {", text, re.MULTILINE)]
    lines += [f"enum {name} one_{name};" for name in re.findall(r"^enum (\w+) {", text, re.MULTILINE)]
    lines += [f"const volatile unsigned long long value_of_{name} = {name};" for name in constants()]
    lines += ['SEC("syscall") int program(void *context) { return 0; }', 'char LICENSE[] SEC("license") = "GPL";']
    return objects.read(sample.compiled("\n".join(lines) + "\n"))


def fields(image: Object, name: str) -> list[tuple[str, int, int]] | None:
    """Name, offset, size of each member of the structure in C; None if the object knows none of that name."""
    found = image.btf.find(types.STRUCT, name)
    if found is None:
        return None
    each = [(field.name, field.offset, image.btf.size(field.type)) for field in image.btf.fields(found)]
    return [*each, ("", image.btf.size(found.id), 0)]


def python_fields(structure: type[ctypes.Structure]) -> list[tuple[str, int, int]]:
    """The same of one in Python."""
    each = [(field[0], getattr(structure, field[0])) for field in structure._fields_]
    return [*((name, field.offset, field.size) for name, field in each), ("", ctypes.sizeof(structure), 0)]


@pytest.mark.needs(*sample.COMPILER)
@pytest.mark.parametrize("name", layout.STRUCTURES)
def test_structures_are_the_same(name: str) -> None:
    assert fields(compiled(), name) == python_fields(layout.STRUCTURES[name])


@pytest.mark.needs(*sample.COMPILER)
def test_every_structure_has_its_twin() -> None:
    names = re.findall(r"^struct (\w+) {", HEADER.read_text(), re.MULTILINE)

    assert set(names) - set(C_ALONE) == set(layout.STRUCTURES)


def values() -> dict[str, int]:
    """Every constant in C."""
    image = compiled()
    found = image.btf.enumerators()
    for name in constants():
        variable = image.variables.get(f"value_of_{name}")
        if variable:
            (found[name],) = struct.unpack_from("<Q", image.maps[variable.section].contents, variable.offset)
    return found


def twin(name: str) -> object:
    """What Python has for a constant in C."""
    if name.startswith("FACT_") and name != "FACT_NONE":
        return facts().get(name)
    if name.startswith("CONTROL_") and name != "CONTROL_LAST":
        return layout.CONTROL_BITS.get(f"{name.removeprefix('CONTROL_').lower()}_domain")
    if name.startswith("INODE_"):
        return layout.INODE_FACTS.index(name.removeprefix("INODE_").lower())
    return {"FACT_NONE": 0, "FACTS": len(layout.FACTS) + 1}.get(name, getattr(layout, name, None))


def facts() -> dict[str, int]:
    """Facts by their names in C: those of inodes begin where the first of their object is."""
    first = layout.INODE_FACTS[0]
    begins = {f"FACT_{each.replace('.', '_').upper()}": layout.FACTS[f"{each}.{first}"] for each in layout.OBJECTS}
    return begins | {
        f"FACT_{word.rpartition('.')[2].upper()}": number
        for word, number in layout.FACTS.items()
        if word.startswith(("task.", "exec."))
    }


@pytest.mark.needs(*sample.COMPILER)
def test_constants_are_the_same() -> None:
    here = {name: value for name, value in values().items() if name not in C_ALONE}

    assert here == {name: twin(name) for name in here}
    assert len(here) > 100


@pytest.mark.parametrize("name", layout.STRUCTURES)
def test_the_object_that_is_carried_has_the_same_structures(name: str) -> None:
    found = fields(objects.read(COMMITTED.read_bytes()), name)

    assert found in (None, python_fields(layout.STRUCTURES[name]))
