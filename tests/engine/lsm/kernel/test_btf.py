import struct

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel import btf as types
from sekisho.engine.lsm.kernel.btf import Btf, Field
from sekisho.engine.lsm.kernel.refusal import BadObject

pytestmark = pytest.mark.needs(*sample.COMPILER)


def test_structures_have_their_fields() -> None:
    btf = sample.image().btf
    entry = btf.find(types.STRUCT, "entry")

    assert entry is not None and 16 == btf.size(entry.id)
    assert [("count", 0, 8), ("small", 8, 1), ("rest", 9, 7)] == [
        (field.name, field.offset, btf.size(field.type)) for field in btf.fields(entry)
    ]
    assert isinstance(btf.fields(entry)[0], Field)


def test_what_isnt_there_isnt_found() -> None:
    btf = sample.image().btf

    assert btf.find(types.STRUCT, "no_such") is None
    assert [] == btf.variables(".no_such")


def test_pointers_have_the_size_of_addresses() -> None:
    btf = sample.image().btf
    (first, *_) = (each for each in btf.types if each.kind == types.PTR)

    assert 8 == btf.size(first.id)


def test_the_kernel_is_given_sizes_and_places_of_variables() -> None:
    btf = Btf(sample.image().types)
    found = btf.find(types.DATASEC, ".rodata")

    assert found is not None and 8 == found.ref
    assert {"limit": 0, "unlimited": 4} == {btf.types[number].name: offset for number, offset, _ in found.rows}
    maps = btf.find(types.DATASEC, ".maps")
    assert maps is not None and sorted(row[1] for row in maps.rows) == [row[1] for row in maps.rows]
    assert len(maps.rows) == len({row[1] for row in maps.rows})


def test_hidden_functions_are_static_to_the_kernel() -> None:
    before, after = sample.image().btf, Btf(sample.image().types)
    linkage = {
        name: [found.length for btf in (before, after) if (found := btf.find(types.FUNC, name))]
        for name in ("thrice", "square", "plus")
    }

    assert {"thrice": [1, 0], "square": [1, 1], "plus": [0, 0]} == linkage


@pytest.mark.parametrize("raw", [b"", bytes(24), struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 12, 12, 0)])
def test_what_isnt_btf_is_said_not_to_be(raw: bytes) -> None:
    with pytest.raises(BadObject):
        Btf(raw)
