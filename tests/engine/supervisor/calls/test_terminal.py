from __future__ import annotations

import errno
import fcntl
import os
import socket
import termios
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.forked import child
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import terminal


def character(major: int, minor: int) -> os.stat_result:
    return os.stat_result((0o020600, 1, 1, 1, 0, 0, 0, 0, 0, 0), {"st_rdev": os.makedev(major, minor)})


@pytest.mark.parametrize(
    ("major", "minor", "blocks"),
    [
        (1, 3, False),
        (5, 0, False),
        (5, 2, False),
        (10, 200, False),
        (136, 0, False),
        (143, 9, False),
        (4, 64, True),
        (188, 0, True),
    ],
)
def test_devices_that_may_wait(major: int, minor: int, blocks: bool) -> None:
    assert blocks is terminal.may_block(character(major, minor))


def test_only_dev_tty_means_something_else(enforcing: Stage) -> None:
    assert terminal.controlling(enforcing.call("open"), os.stat("/dev/null")) is None


@pytest.fixture
def pty() -> Iterator[tuple[int, int]]:
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


def seen_by(stage: Stage, pid: int) -> Call:
    call = stage.call("open")
    call.notification = call.notification._replace(tid=pid)
    return call


def test_the_terminal_of_the_caller(enforcing: Stage, pty: tuple[int, int]) -> None:
    def play(channel: socket.socket) -> None:
        os.setsid()
        fcntl.ioctl(pty[1], termios.TIOCSCTTY, 0)
        channel.send(os.ttyname(pty[1]).encode())
        channel.recv(10)

    with child(play) as caller:
        name = caller.hear().decode()
        found = terminal.controlling(seen_by(enforcing, caller.pid), os.stat("/dev/tty"))

        assert found is not None
        assert os.stat(name).st_rdev == found.status.st_rdev
        assert f"devpts:/{name.rpartition('/')[2]}" == found.name


def test_a_caller_without_a_terminal(enforcing: Stage) -> None:
    def play(channel: socket.socket) -> None:
        os.setsid()
        channel.send(b"ready")
        channel.recv(10)

    with child(play) as caller:
        caller.hear()
        with failing(errno.ENXIO):
            terminal.controlling(seen_by(enforcing, caller.pid), os.stat("/dev/tty"))
