"""Threads that are stopped for a while."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable

import pytest
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.engine.supervisor.system import libc, stops

CONTINUE = 7


def patiently(what: Callable[[], object]) -> object:
    """The first thing that comes of ``what``."""
    for _ in range(2000):
        found = what()
        if found:
            return found
        time.sleep(0.001)
    raise AssertionError("nothing came")


def test_stopped_and_on_its_way_again() -> None:
    with child(wait_for_word) as other:
        other.hear()
        stops.stop(other.pid)
        status = patiently(lambda: stops.reported(other.pid))
        assert isinstance(status, int)
        assert stops.EVENT_STOP == status >> 16
        assert stops.reported(other.pid) is None
        assert stops.born(other.pid, status) is None
        assert stops.past(other.pid)
        stops.resume(other.pid, status)
        other.channel.send(b"go on")

        assert 0 == os.waitstatus_to_exitcode(os.waitpid(other.pid, 0)[1])


def test_a_signal_that_stops_it_first_is_not_lost() -> None:
    with child(wait_for_word) as other:
        other.hear()
        stops.stop(other.pid)
        first = patiently(lambda: stops.reported(other.pid))
        assert isinstance(first, int)
        os.kill(other.pid, signal.SIGUSR1)
        stops.resume(other.pid, first)

        assert -signal.SIGUSR1 == os.waitstatus_to_exitcode(os.waitpid(other.pid, 0)[1])


def _fork(channel: socket.socket) -> None:
    channel.send(b"ready")
    channel.recv(100)
    if not os.fork():
        os._exit(0)
    channel.send(b"forked")
    channel.recv(100)


def test_what_it_makes_stops_as_well() -> None:
    with child(_fork) as other:
        other.hear()
        stops.stop(other.pid)
        patiently(lambda: stops.reported(other.pid))
        libc.ptrace(CONTINUE, other.pid)
        other.channel.send(b"go on")
        status = patiently(lambda: stops.reported(other.pid))
        assert isinstance(status, int)
        born = stops.born(other.pid, status)
        assert born is not None
        first = patiently(lambda: stops.reported(born))
        assert isinstance(first, int)
        stops.resume(born, first)
        stops.resume(other.pid, status)

        assert b"forked" == other.hear()


def test_the_dead_and_the_unknown() -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    assert stops.harmless(pid)
    assert stops.past(pid)
    os.waitpid(pid, 0)
    assert stops.harmless(pid)
    assert stops.reported(pid) is None
    assert set() == stops.threads(pid)
    assert os.getpid() in stops.threads(os.getpid())
    assert not stops.harmless(os.getpid())
    stops.again(pid)
    with pytest.raises(ProcessLookupError):
        stops.stop(pid)
