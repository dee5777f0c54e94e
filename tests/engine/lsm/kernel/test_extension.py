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
        for records in notes.records.values():
            assert sorted(at for at, _ in records) == [at for at, _ in records]
            assert {notes.size - 4} == {len(rest) for _, rest in records}


def test_a_range_has_those_that_begin_in_it() -> None:
    functions = read().functions
    places = [at for at, _ in functions.records["syscall"]]

    assert places[1:2] == [at for at, _ in functions.within("syscall", places[1], places[2])]
    assert [] == functions.within("no such", 0, 100)


def test_what_isnt_such_a_section_is_said_not_to_be() -> None:
    for raw in (b"", bytes(32)):
        with pytest.raises(BadObject):
            extension.read(raw, sample.image().btf)
