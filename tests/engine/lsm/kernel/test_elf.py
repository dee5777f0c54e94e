import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel import elf
from sekisho.engine.lsm.kernel.refusal import BadObject


@pytest.mark.needs(*sample.COMPILER)
def test_sections_symbols_and_relocations_are_read() -> None:
    file = elf.read(sample.raw())
    programs, text = file.section("syscall"), file.section(".text")

    assert programs and text and (True, True) == (programs.executable, text.executable)
    assert {"compute", "square", "thrice", "entries", "seen"} <= {symbol.name for symbol in file.symbols}
    assert {"square", "thrice", "began", "entries", ".text"} <= {
        relocation.symbol.name for relocation in file.relocations[programs.index]
    }
    (thrice,) = (symbol for symbol in file.symbols if symbol.name == "thrice")
    assert (elf.FUNCTION, elf.GLOBAL, elf.HIDDEN, text.index) == (
        thrice.kind, thrice.binding, thrice.visibility, thrice.section,
    )  # fmt: skip


@pytest.mark.needs(*sample.COMPILER)
def test_a_section_that_only_reserves_room_is_zero() -> None:
    section = elf.read(sample.raw()).section(".bss")

    assert section and bytes(8) == section.data


@pytest.mark.parametrize("raw", [b"", b"\x7fELF", b"\x7fELF\x02\x01\x01" + bytes(60), b"#!/bin/sh\n" + bytes(100)])
def test_what_is_no_object_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(BadObject):
        elf.read(raw)


@pytest.mark.needs(*sample.COMPILER)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_part_of_an_object_is_no_object(part: float) -> None:
    raw = sample.raw()

    with pytest.raises(BadObject):
        elf.read(raw[: int(len(raw) * part)])
