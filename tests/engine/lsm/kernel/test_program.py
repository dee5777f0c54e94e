import os
import struct
import threading

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel.loader import Loaded

pytestmark = [pytest.mark.root, pytest.mark.needs(*sample.COMPILER)]


def test_a_program_is_run_on_what_it_is_given(loaded: Loaded) -> None:
    context = bytearray(struct.pack("<IIQ", 4, 5, 0))

    assert 3 == loaded.programs["compute"].run(context)
    # square(5) = 25 + 9 + limit, the sum of 0 to 9, began, thrice(1)
    assert (4, 5, 25 + 9 + 7 + 45 + 5 + 3) == struct.unpack("<IIQ", context)
    assert struct.pack("<QQ", 45, 0) == loaded.maps["entries"].lookup(4)
    assert struct.pack("<Q", 3) == loaded.maps[".bss"].lookup(0)


def test_a_program_reads_the_running_kernels_structures(loaded: Loaded) -> None:
    context = bytearray(16)
    found = []
    thread = threading.Thread(target=lambda: found.append(loaded.programs["identify"].run(context)))
    thread.start()
    thread.join()

    assert [-1] == found
    assert (os.getpid(), 0, os.getpid()) == struct.unpack("<IIQ", context)


def test_an_iterator_sees_tasks_and_threads(loaded: Loaded) -> None:
    going_on = threading.Event()
    thread = threading.Thread(target=going_on.wait)
    thread.start()
    with loaded.programs["each_task"].attach() as link:
        pids = {number for (number,) in struct.iter_unpack("<I", link.read())}
    going_on.set()
    thread.join()

    assert {os.getpid(), os.getppid(), thread.native_id} <= pids


def test_the_kernel_tells_what_it_knows(loaded: Loaded) -> None:
    facts = loaded.programs["compute"].facts()

    assert ("compute", 0) == (facts.name, facts.missed)
    assert facts.id and facts.verified > 40


def test_what_only_runs_when_asked_cant_be_attached(loaded: Loaded) -> None:
    with pytest.raises(OSError):
        loaded.programs["compute"].attach()
