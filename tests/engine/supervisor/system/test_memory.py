from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.forked import child

from sekisho.engine.supervisor.system.memory import PATH_MAX, Memory, write

PAGE = mmap.PAGESIZE
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class Pages:
    """``count`` readable and writable pages of this process, and one behind them that nobody may touch."""

    def __init__(self, count: int) -> None:
        self.size = count * PAGE
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self.start = _LIBC.mmap(None, self.size + PAGE, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
        self.end = self.start + self.size
        # /proc/PID/mem reads what a protection forbids, so the last page must not be there at all.
        assert _LIBC.munmap(self.end, PAGE) == 0

    def put(self, address: int, data: bytes) -> int:
        ctypes.memmove(address, data, len(data))
        return address

    def last(self, data: bytes) -> int:
        """``data`` as the last bytes before the hole."""
        return self.put(self.end - len(data), data)

    def free(self) -> None:
        _LIBC.munmap(self.start, self.size)


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    made = Pages(4)
    yield made
    made.free()


@pytest.fixture(scope="module")
def memory() -> Iterator[Memory]:
    own = Memory(os.getpid())
    yield own
    own.close()


@pytest.mark.parametrize("text", [b"", b"a", b"x" * 255, b"x" * 256, b"x" * 257, b"x" * (PATH_MAX - 1)])
def test_a_string_may_end_where_memory_ends(pages: Pages, memory: Memory, text: bytes) -> None:
    assert text == memory.string(pages.last(text + b"\0"))


@given(st.binary(max_size=600).filter(lambda raw: 0 not in raw), st.integers(0, 3 * PAGE))
def test_a_string_may_stand_anywhere(pages: Pages, memory: Memory, text: bytes, offset: int) -> None:
    assert text == memory.string(pages.put(pages.start + offset, text + b"\0"))


@pytest.mark.parametrize("size", [1, 255, 256, PATH_MAX - 1])
def test_a_string_without_an_end_in_memory(pages: Pages, memory: Memory, size: int) -> None:
    address = pages.last(b"x" * size)

    with failing(errno.EFAULT):
        memory.string(address)


@pytest.mark.parametrize("size", [PATH_MAX, PATH_MAX + 1])
def test_a_path_that_is_too_long(pages: Pages, memory: Memory, size: int) -> None:
    address = pages.put(pages.start, b"x" * size + b"\0")

    with failing(errno.ENAMETOOLONG):
        memory.string(address)
    assert b"x" * size == memory.string(address, size + 1)


@pytest.mark.parametrize("limit", [1, 100, 255, 256, 300])
def test_a_limit_counts_the_end(pages: Pages, memory: Memory, limit: int) -> None:
    address = pages.put(pages.start, b"x" * (limit - 1) + b"\0")
    assert b"x" * (limit - 1) == memory.string(address, limit)

    pages.put(pages.start, b"x" * limit + b"\0")
    with failing(errno.ENAMETOOLONG):
        memory.string(address, limit)


@pytest.mark.parametrize("address", [0, 1, 1 << 47, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_addresses_where_nothing_is(memory: Memory, address: int) -> None:
    with failing(errno.EFAULT):
        memory.string(address)
    with failing(errno.EFAULT):
        memory.read(address, 8)


def test_reading(pages: Pages, memory: Memory) -> None:
    address = pages.last(b"12345678")

    assert b"12345678" == memory.read(address, 8)
    assert b"" == memory.read(0, 0)
    with failing(errno.EFAULT):
        memory.read(address, 9)


def vector(pages: Pages, strings: list[bytes], at: int, *, apart: int = 0) -> int:
    """A NULL-terminated pointer array at ``at``, its strings from the first page on."""
    pointers, free = [], pages.start
    for each in strings:
        pointers.append(pages.put(free, each + b"\0"))
        free += len(each) + 1 + apart
    return pages.put(at, struct.pack(f"{len(pointers) + 1}Q", *pointers, 0))


words = st.lists(st.binary(max_size=40).filter(lambda raw: 0 not in raw), max_size=12)


@given(words, st.integers(0, 64))
def test_a_vector(pages: Pages, memory: Memory, strings: list[bytes], shift: int) -> None:
    at = vector(pages, strings, pages.start + 2 * PAGE - shift)

    assert tuple(strings) == memory.strings(at)


@given(words, st.integers(0, 200))
def test_a_vector_that_ends_where_memory_ends(pages: Pages, memory: Memory, strings: list[bytes], apart: int) -> None:
    at = vector(pages, strings, pages.end - 8 * (len(strings) + 1), apart=apart)

    assert tuple(strings) == memory.strings(at)


def test_strings_that_lie_far_apart_or_at_the_end(pages: Pages, memory: Memory) -> None:
    far = ctypes.create_string_buffer(b"far away")
    near = pages.last(b"near\0")
    at = pages.put(pages.start, struct.pack("4Q", near, ctypes.addressof(far), near, 0))

    assert (b"near", b"far away", b"near") == memory.strings(at)


def test_a_vector_of_nothing(pages: Pages, memory: Memory) -> None:
    assert () == memory.strings(0)
    assert () == memory.strings(pages.last(bytes(8)))


def test_a_vector_whose_end_is_missing(pages: Pages, memory: Memory) -> None:
    with failing(errno.EFAULT):
        memory.strings(pages.last(struct.pack("2Q", pages.start, pages.start)))


def test_a_vector_with_a_bad_pointer(pages: Pages, memory: Memory) -> None:
    with failing(errno.EFAULT):
        memory.strings(pages.put(pages.start, struct.pack("3Q", pages.start, 1, 0)))


def test_a_vector_that_never_ends(memory: Memory) -> None:
    with mmap.mmap(-1, (1 << 21) + 2 * PAGE) as area:
        area.write(b"\x01" * ((1 << 21) + 2 * PAGE))
        held = ctypes.c_char.from_buffer(area)
        address = ctypes.addressof(held)
        with failing(errno.E2BIG):
            memory.strings(address)
        del held


def test_more_than_an_execve_takes(memory: Memory) -> None:
    """Pointers are cheap: what they all point to has to fit in what the kernel would take."""
    length = 100_000
    block = Pages(200)
    try:
        text = block.put(block.start, b"x" * length + b"\0")
        at = block.start + 150 * PAGE
        for count, fits in ((60, True), (64, False), (20_000, False)):
            block.put(at, struct.pack(f"{count + 1}Q", *[text] * count, 0))
            if fits:
                assert (b"x" * length,) * count == memory.strings(at)
                continue
            with failing(errno.E2BIG):
                memory.strings(at)
    finally:
        block.free()


@pytest.mark.parametrize(("length", "fits"), [((1 << 17) - 1, True), (1 << 17, False), (1 << 20, False)])
@pytest.mark.parametrize("apart", [False, True])
def test_a_string_longer_than_an_execve_takes(memory: Memory, length: int, fits: bool, apart: bool) -> None:
    block, far = Pages(300), Pages(1024)
    try:
        text = block.put(block.start, b"x" * length + b"\0")
        other = far.put(far.end - 8, b"y\0") if apart else text
        at = block.put(block.start + 290 * PAGE, struct.pack("3Q", text, other, 0))
        if fits:
            assert b"x" * length == memory.strings(at)[0]
            return
        with failing(errno.E2BIG):
            memory.strings(at)
    finally:
        block.free()
        far.free()


def test_another_process() -> None:
    def play(channel: socket.socket) -> None:
        buffer = ctypes.create_string_buffer(b"their own", 64)
        channel.send(struct.pack("Q", ctypes.addressof(buffer)))
        channel.recv(1)
        channel.send(buffer.value)

    with child(play) as other:
        (address,) = struct.unpack("Q", other.hear())
        memory = Memory(other.pid)
        assert b"their own" == memory.string(address)
        write(other.pid, address, b"written\0")
        assert b"written" == other.tell(b"?")
        memory.close()
        memory.close()


def test_writing_respects_what_is_there(pages: Pages) -> None:
    own = os.getpid()
    write(own, pages.last(bytes(8)), b"12345678")
    assert b"12345678" == ctypes.string_at(pages.end - 8, 8)

    with failing(errno.EFAULT):
        write(own, pages.end - 4, b"12345678")
    _LIBC.mprotect(pages.start, PAGE, mmap.PROT_READ)
    with failing(errno.EFAULT):
        write(own, pages.start, b"x")
    _LIBC.mprotect(pages.start, PAGE, mmap.PROT_READ | mmap.PROT_WRITE)


def test_a_process_that_is_gone() -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)

    with pytest.raises(FileNotFoundError):
        Memory(pid)
