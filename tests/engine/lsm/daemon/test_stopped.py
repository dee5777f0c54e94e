from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon.stopped import is_stopped, is_there, let_all_go, let_go


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGSTOP)
    for _ in range(200):
        if is_stopped(process.pid, process.pid):
            return
        time.sleep(0.01)
    raise AssertionError("it doesn't stop")


class Table(dict[bytes, bytes]):
    def delete(self, key: bytes) -> bool:
        return self.pop(key, None) is not None


def table(process: subprocess.Popen[bytes]) -> Table:
    return Table({b"\1\0\0\0": bytes(layout.Question(process=process.pid, thread=process.pid))})


def test_who_is_stopped_goes_on(sleeper: subprocess.Popen[bytes]) -> None:
    stop(sleeper)
    assert let_go(sleeper.pid, sleeper.pid)
    assert not is_stopped(sleeper.pid, sleeper.pid)


def test_who_is_not_stopped_gets_no_signal(sleeper: subprocess.Popen[bytes]) -> None:
    assert not let_go(sleeper.pid, sleeper.pid)


def test_who_has_ended_is_nobody(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()
    assert not let_go(sleeper.pid, sleeper.pid)
    assert not is_there(sleeper.pid, sleeper.pid)


def test_everybody_goes_on_and_nothing_is_left(sleeper: subprocess.Popen[bytes]) -> None:
    stop(sleeper)
    questions = table(sleeper)
    assert let_all_go(questions, rounds=2, pause=0.01) == 1
    assert (dict(questions), is_stopped(sleeper.pid, sleeper.pid)) == ({}, False)


def test_who_is_only_about_to_be_stopped_goes_on_too(sleeper: subprocess.Popen[bytes]) -> None:
    questions = table(sleeper)
    helper = os.fork()
    if not helper:
        time.sleep(0.1)
        os.kill(sleeper.pid, signal.SIGSTOP)
        os._exit(0)
    assert let_all_go(questions, rounds=30, pause=0.02) == 1
    os.waitpid(helper, 0)


def test_nobody_is_waited_for_where_nobody_waits() -> None:
    begin = time.monotonic()
    assert let_all_go(Table()) == 0
    assert time.monotonic() - begin < 0.5
