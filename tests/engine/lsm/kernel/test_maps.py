import ctypes
import os
import struct

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel.loader import Loaded
from sekisho.engine.lsm.kernel.maps import EXISTING, NEW, Map
from sekisho.engine.lsm.kernel.object import MapShape
from sekisho.engine.lsm.kernel.refusal import MapFull
from sekisho.errors import NotSupported, UserError

pytestmark = pytest.mark.root
HASH = MapShape("numbers", 1, 4, 8, 200_000, 1)


def packed(numbers: range, width: str = "I") -> bytes:
    return struct.pack(f"<{len(numbers)}{width}", *numbers)


def test_one_by_one() -> None:
    with Map.make(HASH) as numbers:
        numbers.update(1, 10)
        numbers.update(b"\2\0\0\0", ctypes.c_uint64(20).value)
        numbers.update(1, 11)

        assert (11).to_bytes(8, "little") == numbers.lookup(1)
        assert numbers.lookup(3) is None
        assert (True, False) == (numbers.delete(1), numbers.delete(1))
        assert [b"\2\0\0\0"] == list(numbers.keys())


def test_structures_are_keys_and_values() -> None:
    class Entry(ctypes.Structure):
        _fields_ = (("count", ctypes.c_uint64),)

    with Map.make(HASH) as numbers:
        numbers.update(7, Entry(5))
        value = numbers.lookup(7)

        assert value and 5 == Entry.from_buffer_copy(value).count


def test_whether_there_is_one_may_matter() -> None:
    with Map.make(HASH) as numbers:
        with pytest.raises(FileNotFoundError):
            numbers.update(1, 1, EXISTING)
        numbers.update(1, 1, NEW)
        with pytest.raises(FileExistsError, match="numbers"):
            numbers.update(1, 2, NEW)


def test_sizes_have_to_fit() -> None:
    with Map.make(HASH) as numbers:
        with pytest.raises(ValueError, match="numbers: 3 bytes where there are 4"):
            numbers.lookup(b"abc")
        with pytest.raises(ValueError, match="8 bytes of keys, 8 bytes of values"):
            numbers.update_many(bytes(8), bytes(8))


def test_many_at_once() -> None:
    count = 150_000
    with Map.make(HASH) as numbers:
        numbers.update_many(packed(range(count)), packed(range(count), "Q"))

        assert dict(zip(range(count), range(count), strict=True)) == {
            int.from_bytes(key, "little"): int.from_bytes(value, "little") for key, value in numbers.items()
        }
        assert 100_000 == numbers.delete_many(packed(range(50_000, 200_000)))
        assert 0 == numbers.delete_many(packed(range(50_000, 60_000)))
        assert set(range(50_000)) == {int.from_bytes(key, "little") for key in numbers.keys()}  # noqa: SIM118


def test_keys_that_arent_there_are_no_end_of_deleting() -> None:
    with Map.make(HASH) as numbers:
        numbers.update_many(packed(range(0, 100, 2)), packed(range(0, 100, 2), "Q"))

        assert 50 == numbers.delete_many(packed(range(100)))
        assert [] == list(numbers.items())


def test_arrays_have_all_their_elements() -> None:
    with Map.make(MapShape("row", 2, 4, 4, 10)) as row:
        row.update(3, 33)

        assert [(n, 33 if n == 3 else 0) for n in range(10)] == [
            (int.from_bytes(key, "little"), int.from_bytes(value, "little")) for key, value in row.items()
        ]


@pytest.mark.parametrize("many", [False, True])
def test_a_full_map_says_so(many: bool) -> None:
    with Map.make(HASH, entries=10) as numbers, pytest.raises(MapFull, match="numbers is full: .* 10 entries"):
        if many:
            numbers.update_many(packed(range(20)), packed(range(20), "Q"))
        else:
            for number in range(20):
                numbers.update(number, number)


def test_an_array_is_memory() -> None:
    with Map.make(MapShape("cells", 2, 4, 4, 1000, 1024)) as cells:
        memory = cells.mapped()
        memory[3 * cells.stride : 3 * cells.stride + 4] = b"abcd"

        assert (8, b"abcd") == (cells.stride, cells.lookup(3))
        memory.close()


def test_constants_cant_be_changed() -> None:
    with Map.make(MapShape(".rodata", 2, 4, 8, 1, 128, contents=b"constant", constant=True)) as constants:
        assert b"constant" == constants.lookup(0)
        with pytest.raises(PermissionError):
            constants.update(0, bytes(8))


def test_a_map_of_another_version_is_refused() -> None:
    with Map.make(HASH) as numbers:
        numbers.check(HASH)
        with pytest.raises(UserError, match="numbers .* another version"):
            numbers.check(MapShape("numbers", 1, 4, 16, 10))


def test_a_map_that_cant_be_is_refused() -> None:
    with pytest.raises(NotSupported, match=r"map numbers \(200000 entries\)"):
        Map.make(MapShape("numbers", 9999, 4, 8, 200_000))


@pytest.mark.needs(*sample.COMPILER)
def test_a_task_has_storage(loaded: Loaded) -> None:
    tasks = loaded.maps["tasks"]

    assert tasks.lookup_task(os.getpid()) is None
    tasks.update_task(os.getpid(), 77)
    assert (77).to_bytes(8, "little") == tasks.lookup_task(os.getpid())
