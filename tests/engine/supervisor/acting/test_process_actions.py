"""Actions on other processes, each on a child of the test's own."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
from collections.abc import Callable

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.pinned import pidfd_of

from sekisho.engine.supervisor.acting import process_actions
from sekisho.engine.supervisor.acting.actions import ACTIONS
from sekisho.engine.supervisor.acting.here import Fd

KILL = signal.SIGKILL
INFORMATION = struct.pack("iii", KILL, 0, -1) + bytes(116)


@pytest.mark.parametrize(
    "send",
    [
        lambda pid: process_actions.kill(pid, KILL),
        lambda pid: process_actions.tkill(pid, KILL),
        lambda pid: process_actions.tgkill(pid, pid, KILL),
        lambda pid: process_actions.queue_signal(pid, KILL, INFORMATION),
        lambda pid: process_actions.queue_thread_signal(pid, pid, KILL, INFORMATION),
    ],
    ids=["kill", "tkill", "tgkill", "queue_signal", "queue_thread_signal"],
)
def test_sent(send: Callable[[int], int]) -> None:
    with child(wait_for_word) as other:
        other.hear()
        assert 0 == send(other.pid)

        assert KILL == os.WTERMSIG(os.waitpid(other.pid, 0)[1])


@pytest.mark.parametrize("information", [b"", INFORMATION])
def test_sent_by_pidfd(information: bytes) -> None:
    with child(wait_for_word) as other, pidfd_of(other.pid) as pidfd:
        other.hear()
        assert 0 == process_actions.send_by_pidfd(Fd(pidfd), KILL, information, 0)

        assert KILL == os.WTERMSIG(os.waitpid(other.pid, 0)[1])


def test_a_descriptor_of_another() -> None:
    with child(wait_for_word) as other, pidfd_of(other.pid) as pidfd:
        other.hear()
        taken = process_actions.get_descriptor(Fd(pidfd), 1)
        os.close(taken)


def test_owner_and_signal() -> None:
    reading, writing = os.pipe()
    try:
        assert 0 == process_actions.set_owner(Fd(reading), 1, os.getppid())
        assert 0 == process_actions.set_signal(Fd(reading), signal.SIGUSR1)

        assert os.getppid() == fcntl.fcntl(reading, fcntl.F_GETOWN)
        assert signal.SIGUSR1 == fcntl.fcntl(reading, fcntl.F_GETSIG)
    finally:
        os.close(reading)
        os.close(writing)


def test_the_clocks_state() -> None:
    state, data = process_actions.clock_state(0, 0, 208)

    assert 0 <= state <= 5
    assert 208 == len(data) and any(data)


def test_errors_are_the_kernels() -> None:
    with pytest.raises(ProcessLookupError):
        process_actions.tkill(0x7FFFFFFF, KILL)


def test_workers_know_them() -> None:
    public = {
        name
        for name, value in vars(process_actions).items()
        if getattr(value, "__module__", "") == process_actions.__name__
    }

    assert public <= set(ACTIONS)


def test_a_device_is_controlled() -> None:
    here, there = os.pipe()
    os.write(there, b"12345")

    assert struct.pack("i", 5) == process_actions.control_device(Fd(here), 0x541B, bytes(4))
    assert struct.pack("i", 1) == process_actions.control_device(Fd(here), 0x5421, struct.pack("i", 1))
    assert not os.get_blocking(here)
    for fd in (here, there):
        os.close(fd)
