"""Calls that wait in a worker: answered when it is done, given up when the caller is gone or signalled."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import time
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.fences import Kind


def turn(on: Stage, seconds: float = 10) -> object:
    """What is answered while the loop turns; None when nothing was in that time."""
    deadline = time.monotonic() + seconds
    supervisor = on.supervisor
    while not on.listener.answers and time.monotonic() < deadline:
        for fd, events in supervisor.epoll.poll(0.02):
            supervisor.handlers[fd](events)
        supervisor.waiting.look()
        supervisor.arrivals.look()
    return on.listener.answers[0] if on.listener.answers else None


@pytest.fixture
def fifo(enforcing: Stage, tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "fifo")
    enforcing.allow(f"file read/write {tmp_path}/fifo")
    return tmp_path / "fifo"


def test_an_open_waits_for_its_peer_and_holds_nobody_up(enforcing: Stage, fifo: Path) -> None:
    assert enforcing.handle("open", fifo, os.O_RDONLY) is None
    assert -errno.EPERM == enforcing.handle("open", b"/etc/hostname", os.O_RDONLY)
    enforcing.listener.answers.clear()
    assert turn(enforcing, 0.1) is None

    peer = os.open(fifo, os.O_RDWR)
    assert ("fd", str(fifo), False) == turn(enforcing)
    os.close(peer)


def open_to_its_end(on: Stage, fifo: Path) -> object:
    """What opening it comes to when there is a peer."""
    peer = os.open(fifo, os.O_RDWR)
    try:
        on.listener.answers.clear()
        assert on.handle("open", fifo, os.O_RDONLY) is None
        return turn(on)
    finally:
        os.close(peer)


@pytest.mark.usefixtures("landlocked")
def test_a_fifo_that_was_replaced_is_opened_inside_another_fence(enforcing: Stage, fifo: Path) -> None:
    assert ("fd", str(fifo), False) == open_to_its_end(enforcing, fifo)
    former = enforcing.supervisor.performer.fences.of(enforcing.domain, Kind.USE)
    os.mkfifo(f"{fifo}.new")
    os.rename(f"{fifo}.new", fifo)

    assert ("fd", str(fifo), False) == open_to_its_end(enforcing, fifo)
    assert enforcing.supervisor.performer.fences.of(enforcing.domain, Kind.USE) is not former
    assert 1 == len(enforcing.supervisor.workers.pids)


@pytest.mark.usefixtures("landlocked")
def test_what_the_fence_withholds_is_refused_and_tried_but_once(
    enforcing: Stage, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(f"{fifo}.other")
    monkeypatch.setattr(type(enforcing.supervisor.judge), "allows", lambda *_: True)

    assert -errno.EACCES == open_to_its_end(enforcing, Path(f"{fifo}.other"))
    assert 1 == len(enforcing.supervisor.workers.pids)


def test_a_caller_that_is_gone_needs_no_answer(enforcing: Stage, fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert enforcing.handle("open", fifo, os.O_RDONLY) is None
    assert 1 == len(enforcing.supervisor.workers.pids)
    monkeypatch.setattr(enforcing.listener, "valid", lambda _: False)

    assert turn(enforcing) is not None
    assert set() == enforcing.supervisor.workers.pids
    assert {} == enforcing.supervisor.workers.busy


def test_a_worker_that_died(enforcing: Stage, fifo: Path) -> None:
    assert enforcing.handle("open", fifo, os.O_RDONLY) is None
    (pid,) = enforcing.supervisor.workers.pids
    os.kill(pid, signal.SIGKILL)

    assert -errno.EPERM == turn(enforcing)


def test_a_caller_that_doesnt_want_to_wait(enforcing: Stage, fifo: Path) -> None:
    assert -errno.ENXIO == enforcing.handle("open", fifo, os.O_WRONLY | os.O_NONBLOCK)
    peer = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    assert ("fd", str(fifo), False) == enforcing.handle("open", fifo, os.O_WRONLY | os.O_NONBLOCK)
    assert enforcing.handle("open", fifo, os.O_WRONLY) is None

    assert ("fd", str(fifo), False) == turn(enforcing)
    os.close(peer)


def test_patience(enforcing: Stage, fifo: Path) -> None:
    assert enforcing.supervisor.waiting.patience() == -1
    enforcing.handle("open", fifo, os.O_RDONLY)
    assert 0 < enforcing.supervisor.waiting.patience() < 1


def test_a_connection_is_waited_for_elsewhere(enforcing: Stage, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    enforcing.allow(f"network unix stream connect {path}")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as sock:
        listening.bind(str(path))
        listening.listen(1)
        raw = b"\x01\x00" + bytes(path) + b"\0"
        answer = enforcing.handle("connect", sock.fileno(), enforcing.pointer(raw), len(raw))

        assert 0 == (turn(enforcing) if answer is None else answer)
        assert select.select([listening], [], [], 5)[0]
