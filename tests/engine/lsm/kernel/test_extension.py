import struct

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel import elf, extension
from sekisho.engine.lsm.kernel.refusal import BadObject

pytestmark = pytest.mark.needs(*sample.COMPILER)


def read() -> extension.Extension:
    section = elf.read(sample.raw()).section(".BTF.ext")
    assert section is not None
    return extension.read(section.data, sample.image().btf)


def test_records_are_by_section_and_place() -> None:
    found = read()

    assert {".text", "syscall", "lsm/file_open", "iter/task"} <= set(found.functions.records)
    assert (8, 16, 16) == (found.functions.size, found.lines.size, found.fields.size)
    for notes in (found.functions, found.lines, found.fields):
        for places, packed in notes.records.values():
            assert sorted(places) == list(places)
            assert list(places) == [row[0] for row in struct.iter_unpack(f"<I{notes.size - 4}x", packed)]


def test_a_range_has_those_that_begin_in_it() -> None:
    functions = read().functions
    places, packed = functions.records["syscall"]

    assert packed[8:16] == functions.within("syscall", places[1], places[2])
    assert packed[8:16] == functions.within("syscall", places[0] + 1, places[1] + 1)
    assert b"" == functions.within("no such", 0, 100)


def test_records_move_with_what_they_are_about() -> None:
    notes = extension.Notes(12)
    packed = struct.pack("<6I", 16, 1, 2, 24, 3, 4)

    assert struct.pack("<6I", 3, 1, 2, 4, 3, 4) == notes.moved(packed, 8, 8)
    assert b"" == notes.moved(b"", 8, 8)
    assert b"" == extension.Notes().moved(b"", 8, 8)


def test_what_isnt_such_a_section_is_said_not_to_be() -> None:
    for raw in (b"", bytes(32)):
        with pytest.raises(BadObject):
            extension.read(raw, sample.image().btf)
