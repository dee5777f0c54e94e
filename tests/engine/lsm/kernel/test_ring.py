import mmap
import os
import select
import struct
from collections.abc import Iterator
from typing import cast

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel.loader import Loaded
from sekisho.engine.lsm.kernel.maps import Map
from sekisho.engine.lsm.kernel.ring import Ring

pytestmark = [pytest.mark.root, pytest.mark.needs(*sample.COMPILER)]


@pytest.fixture
def ring(loaded: Loaded) -> Iterator[Ring]:
    found = Ring(loaded.maps["events"])
    yield found
    found.close()


def send(loaded: Loaded, mark: int, size: int = 13, discarded: bool = False) -> int:
    return loaded.programs["send"].run(bytearray(struct.pack("<IIQ", size, discarded, mark)))


def record(mark: int, size: int = 13) -> bytes:
    return (bytes(12) + bytes([mark])).ljust(size, b"\0")


def test_records_come_in_order(loaded: Loaded, ring: Ring) -> None:
    send(loaded, 1)
    send(loaded, 2, 100)

    found = ring.drain()

    assert [record(1), record(2)[:13]] == [each[:13] for each in found]
    assert [13, 100] == [len(each) for each in found]
    assert ([], 0) == (ring.drain(), ring.waiting)


def test_what_was_thrown_away_is_left_out(loaded: Loaded, ring: Ring) -> None:
    for mark in range(6):
        send(loaded, mark, discarded=mark % 2 == 0)

    assert [record(mark) for mark in (1, 3, 5)] == ring.drain()


def test_no_more_are_taken_than_are_asked_for(loaded: Loaded, ring: Ring) -> None:
    for mark in range(5):
        send(loaded, mark)

    assert [record(0), record(1)] == ring.drain(2)
    assert [record(2), record(3), record(4)] == ring.drain()


def test_room_is_given_back_again_and_again(loaded: Loaded, ring: Ring) -> None:
    for turn in range(1000):
        assert 0 == send(loaded, turn % 256, 100 if turn % 3 else 13)
        (found,) = ring.drain()
        assert turn % 256 == found[12]


def test_a_full_ring_takes_nothing_and_loses_nothing(loaded: Loaded, ring: Ring) -> None:
    sent = 0
    while send(loaded, sent % 256) == 0:
        sent += 1

    assert [record(mark % 256) for mark in range(sent)] == ring.drain()
    assert 0 == send(loaded, 9)


def test_a_record_is_held_until_the_next_is_asked_for(loaded: Loaded, ring: Ring) -> None:
    send(loaded, 1)
    send(loaded, 2)
    records = ring.records()

    first = next(records)
    assert record(1) == bytes(first) and 48 == ring.waiting
    assert record(2) == bytes(next(records)) and 24 == ring.waiting
    assert [] == list(records) and 0 == ring.waiting


def test_waiting_is_by_its_descriptor(loaded: Loaded, ring: Ring) -> None:
    poll = select.epoll()
    poll.register(ring, select.EPOLLIN)

    assert [] == poll.poll(0)
    send(loaded, 1)
    assert [(ring.fileno(), select.EPOLLIN)] == poll.poll(5)
    ring.drain()
    assert [] == poll.poll(0)
    poll.close()


class Memory:
    """What looks like a ring buffer map to its reader, with records of our own making."""

    entries = mmap.PAGESIZE

    def __init__(self) -> None:
        self.fd = os.memfd_create("ring")
        os.ftruncate(self.fd, 4 * mmap.PAGESIZE)

    def fileno(self) -> int:
        return self.fd

    def write(self, at: int, length: int, data: bytes, end: int) -> None:
        """A record whose header says ``length``; the writer is at ``end``."""
        os.pwrite(self.fd, struct.pack("<II", length, 0) + data, 2 * mmap.PAGESIZE + at)
        os.pwrite(self.fd, struct.pack("<Q", end), mmap.PAGESIZE)


@pytest.mark.parametrize("copied", [True, False])
def test_a_record_that_is_still_being_written_is_waited_for(copied: bool) -> None:
    memory = Memory()
    memory.write(0, 8, b"complete", 16)
    memory.write(16, 8 | 1 << 31, b"half", 32)
    ring = Ring(cast("Map", memory))

    def read() -> list[bytes]:
        return ring.drain() if copied else [bytes(record) for record in ring.records()]

    assert [b"complete"] == read()
    assert ([], 16) == (read(), ring.waiting)
    memory.write(16, 8, b"finished", 32)
    assert ([b"finished"], 0) == (read(), ring.waiting)
    ring.close()
    os.close(memory.fd)
