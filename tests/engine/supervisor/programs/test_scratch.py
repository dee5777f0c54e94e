from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.engine.supervisor.programs.scratch import Scratch, size_for
from sekisho.engine.supervisor.system import memory
from sekisho.engine.supervisor.tasks import Process, Tasks
from sekisho.policy.model import Domain

SIZE = 1 << 16
HERE = os.getpid()
_CLONE_VM = 0x100


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    made = Tasks(lambda process: None)
    yield made
    for process in list(made.by_tgid.values()):
        made.gone(process)


@pytest.fixture
def own(tasks: Tasks) -> Process:
    return tasks.add(HERE, Domain("<kernel>"), 0)


@pytest.fixture
def place() -> Iterator[int]:
    mapping = mmap.mmap(-1, SIZE)
    pointer = ctypes.c_char.from_buffer(mapping)
    yield ctypes.addressof(pointer)
    del pointer
    mapping.close()


def test_an_area_serves_one_at_a_time(tasks: Tasks, own: Process, place: int) -> None:
    scratch = Scratch(tasks)
    assert scratch.take(own, HERE, 100) is None
    area = scratch.add(own, HERE, place, SIZE)
    assert (place, SIZE, place + 16) == (area.address, area.size, area.start)
    assert scratch.take(own, HERE, 100) is None

    area.busy = False
    assert area is scratch.take(own, HERE, 100)
    assert area.busy


def test_what_doesnt_fit_needs_another(tasks: Tasks, own: Process, place: int) -> None:
    scratch = Scratch(tasks)
    scratch.add(own, HERE, place, SIZE).busy = False

    assert scratch.take(own, HERE, SIZE - 15) is None
    assert scratch.take(own, HERE, SIZE - 16) is not None


def test_what_the_program_has_put_to_another_use_is_left_alone(tasks: Tasks, own: Process, place: int) -> None:
    scratch = Scratch(tasks)
    scratch.add(own, HERE, place, SIZE).busy = False
    memory.write(HERE, place, b"mine")

    assert scratch.take(own, HERE, 100) is None


def test_nothing_is_there_to_be_added(tasks: Tasks, own: Process) -> None:
    with pytest.raises(OSError, match="Bad address"):
        Scratch(tasks).add(own, HERE, 4096, SIZE)


def test_a_fork_has_memory_of_its_own(tasks: Tasks, own: Process, place: int) -> None:
    scratch = Scratch(tasks)
    scratch.add(own, HERE, place, SIZE).busy = False
    with child(wait_for_word) as made:
        made.hear()
        other = tasks.add(made.pid, own.domain, HERE)

        assert scratch.take(other, made.pid, 100) is None
        assert scratch.take(own, HERE, 100) is not None


def test_who_shares_memory_shares_its_areas(tasks: Tasks, own: Process, place: int) -> None:
    scratch = Scratch(tasks)
    scratch.add(own, HERE, place, SIZE).busy = False
    with child(_vfork) as made, ExitStack() as stack:
        parent = tasks.add(made.pid, own.domain, HERE)
        shared = int(made.hear())
        address = int(made.hear())
        stack.callback(os.kill, shared, signal.SIGKILL)
        other = tasks.add(shared, own.domain, made.pid)
        scratch.add(parent, made.pid, address, SIZE).busy = False

        assert scratch.take(other, shared, 100) is not None
        assert scratch.take(parent, made.pid, 100) is None


def _vfork(channel: socket.socket) -> None:
    """Not vfork(2) itself, whose parent couldn't speak, but the same: a process with this one's memory."""
    libc = ctypes.CDLL(None)
    stack = ctypes.create_string_buffer(1 << 16)
    sleep = ctypes.cast(libc.sleep, ctypes.c_void_p)
    top = ctypes.c_void_p(ctypes.addressof(stack) + len(stack) - 256)
    channel.send(b"%d" % libc.clone(sleep, top, _CLONE_VM | signal.SIGCHLD, 20))
    room = ctypes.create_string_buffer(SIZE)
    channel.send(b"%d" % ctypes.addressof(room))
    channel.recv(100)


@pytest.mark.parametrize(("size", "mapped"), [(1, SIZE), (SIZE - 16, SIZE), (SIZE - 15, 2 * SIZE), (100000, 1 << 17)])
def test_sizes_are_few(size: int, mapped: int) -> None:
    assert mapped == size_for(size)
