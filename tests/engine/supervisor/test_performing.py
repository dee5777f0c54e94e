from __future__ import annotations

import errno
import os
import signal
from copy import copy
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.call import Call


@pytest.fixture
def here(enforcing: Stage) -> Call:
    """A call of a process whose rights are ours."""
    return enforcing.call("openat", -100, "/etc/hostname", 0)


@pytest.fixture
def elsewhere(enforcing: Stage, here: Call) -> Call:
    """The same where a worker has to take the rights on."""
    enforcing.process.identities[here.tid] = copy(enforcing.supervisor.own)
    return here


def mkdir(call: Call, where: Path) -> object:
    parent = Fd(os.open(where, os.O_PATH))
    try:
        return call.run("mkdir", parent, b"made", 0o700, 0)
    finally:
        os.close(parent)


def test_what_our_rights_are_good_for_is_done_here(enforcing: Stage, here: Call, tmp_path: Path) -> None:
    mkdir(here, tmp_path)
    assert (tmp_path / "made").is_dir()
    assert set() == enforcing.supervisor.workers.pids


def test_else_in_a_worker_that_is_used_again(enforcing: Stage, elsewhere: Call, tmp_path: Path) -> None:
    mkdir(elsewhere, tmp_path)
    assert (tmp_path / "made").is_dir()
    (pid,) = enforcing.supervisor.workers.pids
    with pytest.raises(FileExistsError):
        mkdir(elsewhere, tmp_path)
    assert {pid} == enforcing.supervisor.workers.pids
    assert pid in enforcing.supervisor.guard.processes


def test_a_worker_that_died_is_a_refusal(enforcing: Stage, elsewhere: Call, tmp_path: Path) -> None:
    mkdir(elsewhere, tmp_path)
    (pid,) = enforcing.supervisor.workers.pids
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(OSError) as caught:
        mkdir(elsewhere, tmp_path)
    assert errno.EPERM == caught.value.errno


def test_only_living_workers_are_guarded(enforcing: Stage, elsewhere: Call, tmp_path: Path) -> None:
    mkdir(elsewhere, tmp_path)
    (dead,) = enforcing.supervisor.workers.pids
    enforcing.supervisor.workers.close()
    (tmp_path / "made").rmdir()
    mkdir(elsewhere, tmp_path)
    (living,) = enforcing.supervisor.workers.pids

    assert living in enforcing.supervisor.guard.processes
    assert dead not in enforcing.supervisor.guard.processes
