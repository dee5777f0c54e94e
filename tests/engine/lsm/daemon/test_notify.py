"""What the service manager is told, and how often."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.engine.lsm.daemon.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
        channel.bind(os.fspath(tmp_path / "notify"))
        yield channel


def told(manager: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(manager.recv(256))
        except BlockingIOError:
            return found


def test_it_tells_that_it_is_ready_and_alive(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "30000000"})

    notifier.ready()
    notifier.alive()

    assert [b"READY=1", b"WATCHDOG=1"] == told(manager)


def test_it_is_alive_twice_a_period(manager: socket.socket) -> None:
    clock = [100.0]
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "30000000"}, lambda: clock[0])
    for _ in range(31):
        notifier.alive()
        clock[0] += 1.0
    assert 3 == len(told(manager))


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}],
    ids=["nobody asks", "another process is meant", "no number"],
)
def test_nobody_who_did_not_ask_hears_of_its_life(manager: socket.socket, environment: dict[str, str]) -> None:
    Notifier(environment | ({"NOTIFY_SOCKET": manager.getsockname()} if environment else {})).alive()
    assert [] == told(manager)


def test_an_abstract_socket_is_meant_by_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        name = f"sekisho-test-{os.getpid()}"
        channel.bind(f"\0{name}")
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert b"READY=1" == channel.recv(256)


def test_a_manager_that_has_gone_is_no_trouble(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": os.fspath(tmp_path / "nothing")}).ready()


def test_children_are_not_meant(manager: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1", "WATCHDOG_PID": str(os.getpid())}
    Notifier(environment)
    assert {} == environment
