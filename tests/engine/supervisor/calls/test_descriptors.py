from __future__ import annotations

import errno
import fcntl
import os
import termios
from pathlib import Path

from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.plan import PROCEED


def test_ioctl_asks_by_name_and_command(enforcing: Stage, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        line = f"file ioctl {tmp_path}/file 0x5401"

        assert [line] == enforcing.asks("ioctl", file.fileno(), termios.TCGETS)
        assert [line] == enforcing.asks("ioctl", file.fileno(), 0xFFFFFFFF00000000 | termios.TCGETS)
        assert PROCEED is enforcing.plan("ioctl", file.fileno(), termios.TCGETS).perform()
    with failing(errno.EBADF):
        enforcing.answer("ioctl", 999, termios.TCGETS)


def test_the_other_end_of_a_terminal_is_opened_as_by_its_name(enforcing: Stage) -> None:
    master, slave = os.openpty()
    number = os.ttyname(slave).rpartition("/")[2]

    arguments = ("ioctl", master, 0x5441, os.O_RDWR | os.O_CLOEXEC)
    asked = enforcing.asks(*arguments)
    assert asked[0].endswith(" 0x5441")
    assert [f"file read devpts:/{number}", f"file write devpts:/{number}"] == asked[1:]
    opened = enforcing.plan(*arguments).perform()
    assert isinstance(opened, Fd)
    assert os.path.samestat(os.fstat(slave), os.fstat(opened))
    for fd in (master, slave, opened):
        os.close(fd)


def flags(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_GETFL)


def test_gaining_and_losing_append(enforcing: Stage, tmp_path: Path) -> None:
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)

    plan = enforcing.plan("fcntl", fd, fcntl.F_SETFL, os.O_APPEND)
    assert [f"file append {tmp_path}/file"] == enforcing.asks("fcntl", fd, fcntl.F_SETFL, os.O_APPEND)
    assert 0 == plan.perform()
    assert flags(fd) & os.O_APPEND
    assert [f"file write {tmp_path}/file"] == enforcing.asks("fcntl", fd, fcntl.F_SETFL, 0)
    assert 0 == enforcing.plan("fcntl", fd, fcntl.F_SETFL, 0).perform()
    assert not flags(fd) & os.O_APPEND
    os.close(fd)


def test_other_flags_ask_nothing(enforcing: Stage) -> None:
    here, there = os.pipe()

    assert [] == enforcing.asks("fcntl", here, fcntl.F_SETFL, os.O_NONBLOCK)
    assert 0 == enforcing.plan("fcntl", here, fcntl.F_SETFL, os.O_NONBLOCK).perform()
    assert flags(here) & os.O_NONBLOCK
    for fd in (here, there):
        os.close(fd)
