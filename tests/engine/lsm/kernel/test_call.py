import errno

import pytest

from sekisho.engine.lsm.kernel.call import MAP_LOOKUP, address, bpf


def test_errors_are_those_of_the_kernel() -> None:
    with pytest.raises(OSError) as caught:
        bpf(MAP_LOOKUP, bytearray(32))

    assert caught.value.errno in (errno.EBADF, errno.EINVAL, errno.EPERM)


def test_an_address_is_where_the_bytes_are() -> None:
    import ctypes

    fixed, changing = b"one\0two", bytearray(b"three")

    assert fixed == ctypes.string_at(address(fixed), len(fixed))
    assert b"three" == ctypes.string_at(address(changing), len(changing))
    assert (0, 0) == (address(b""), address(bytearray()))


def test_bytes_may_change_their_size_after_their_address_was_asked_for() -> None:
    changing = bytearray(b"three")
    address(changing)

    changing += b"more"

    assert b"threemore" == changing
