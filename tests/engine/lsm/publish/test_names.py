from __future__ import annotations

import pytest
from tests.engine.lsm.publish.memory import MemoryMaps

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.publish.names import Names


@pytest.fixture
def maps() -> MemoryMaps:
    return MemoryMaps()


def test_a_name_has_one_id(maps: MemoryMaps) -> None:
    names = Names(maps)

    assert [1, 2, 1] == [names.name(b"/etc/passwd"), names.name(b"/etc/shadow"), names.name(b"/etc/passwd")]
    assert "/etc/passwd" == names.text(1)


def test_the_id_that_the_kernel_gave_is_taken_over(maps: MemoryMaps) -> None:
    size, key = layout.name_key(b"/a b")
    given = layout.KERNEL_MADE | 7
    maps.tables[f"names_{size}"].contents[key] = bytes(layout.NameValue(given, 6))
    names = Names(maps)

    assert given == names.word("/a\\040b")
    assert 1 == names.name(b"/other")


def test_a_pattern_is_its_text(maps: MemoryMaps) -> None:
    names = Names(maps)
    pattern = names.word("/tmp/\\*")

    assert pattern != names.name(b"/tmp/\\*")
    assert "/tmp/\\*" == names.text(pattern)


def test_ids_go_on_where_they_were(maps: MemoryMaps) -> None:
    first = Names(maps).name("/é".encode())
    names = Names(maps)
    names.load()

    assert (first, first + 1) == (names.name("/é".encode()), names.name(b"/new"))
    assert "/\\303\\251" == names.text(first)
    (value,) = [value for key, value in maps.tables["names_32"].contents.items() if b"\xa9" in key]
    assert 9 == layout.NameValue.from_buffer_copy(value).units


def test_a_name_that_came_up_in_the_kernel_later_is_found(maps: MemoryMaps) -> None:
    names = Names(maps)
    size, key = layout.name_key(b"/late")
    maps.tables[f"names_{size}"].contents[key] = bytes(layout.NameValue(layout.KERNEL_MADE | 1, 5))

    assert "/late" == names.text(layout.KERNEL_MADE | 1)
    assert names.text(12345) is None


def test_what_is_too_long_has_no_id(maps: MemoryMaps) -> None:
    with pytest.raises(ValueError, match="at most"):
        Names(maps).name(b"x" * 5000)


def test_what_the_kernel_tells_need_not_be_searched(maps: MemoryMaps) -> None:
    names = Names(maps)
    names.told(layout.KERNEL_MADE | 2, b"/told")
    names.told(layout.KERNEL_MADE | 3, b"")

    assert "/told" == names.text(layout.KERNEL_MADE | 2)
    assert layout.KERNEL_MADE | 2 == names.name(b"/told")
    assert names.text(layout.KERNEL_MADE | 3) is None
