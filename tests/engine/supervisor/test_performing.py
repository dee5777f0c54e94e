from __future__ import annotations

import errno
import os
import signal
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.judge import Judge
from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.fences import Kind
from sekisho.engine.supervisor.questions import Questions


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


def opened(stage: Stage, path: Path) -> object:
    """What the program gets that opens ``path``, whatever was remembered."""
    stage.supervisor.shortcuts.forget()
    return stage.handle("open", path, os.O_RDONLY)


@pytest.mark.usefixtures("landlocked")
def test_what_policy_grants_is_opened_inside_a_fence(enforcing: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    enforcing.allow(f"file read {tmp_path}/file")

    assert ("fd", f"{tmp_path}/file", False) == opened(enforcing, tmp_path / "file")
    assert [enforcing.supervisor.performer.fences.of(enforcing.domain, Kind.USE)] == fences(enforcing)


def fences(stage: Stage) -> list[object]:
    """Those of the idle workers."""
    return [worker.fence for resting in stage.supervisor.workers.idle.values() for worker in resting]


@pytest.mark.usefixtures("landlocked")
def test_a_file_that_was_replaced_is_opened_all_the_same(enforcing: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    enforcing.allow(f"file read {tmp_path}/file")
    opened(enforcing, tmp_path / "file")
    (tmp_path / "other").write_text("other")
    (tmp_path / "other").rename(tmp_path / "file")

    assert ("fd", f"{tmp_path}/file", False) == opened(enforcing, tmp_path / "file")
    assert len(fences(enforcing)) == 1


@pytest.mark.usefixtures("landlocked")
def test_a_folder_that_was_replaced_is_written_to_all_the_same(enforcing: Stage, tmp_path: Path) -> None:
    enforcing.allow(f"file create {tmp_path}/folder/\\* 0600", f"file write {tmp_path}/folder/\\*")
    for name in ("first", "second"):
        (tmp_path / "folder").mkdir()
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY

        assert ("fd", f"{tmp_path}/folder/{name}", False) == enforcing.handle(
            "open", tmp_path / "folder" / name, flags, 0o600
        )
        (tmp_path / "folder").rename(tmp_path / f"before {name}")


@pytest.mark.usefixtures("landlocked")
def test_what_was_allowed_by_hand_is_done_outside_any_fence(
    enforcing: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("text")
    monkeypatch.setattr(enforcing.supervisor.questions, "verdict", lambda domain, request: True)

    assert ("fd", f"{tmp_path}/file", False) == opened(enforcing, tmp_path / "file")
    assert [] == fences(enforcing)


@pytest.mark.usefixtures("landlocked")
def test_what_isnt_at_an_absolute_path_is_done_outside(enforcing: Stage) -> None:
    enforcing.allow("file read proc:/self/maps", "file read proc:/\\$/maps")

    assert ("fd", f"/proc/{os.getpid()}/maps", False) == opened(enforcing, Path(f"/proc/{os.getpid()}/maps"))
    assert [] == fences(enforcing)


@pytest.mark.usefixtures("landlocked")
def test_names_of_another_mount_namespace_arent_fenced(enforcing: Stage) -> None:
    call = enforcing.call("openat", -100, "/etc/hostname", 0)
    assert enforcing.supervisor.performer._fence(call, "reopen") is not None

    enforcing.process.identities[call.tid] = replace(enforcing.supervisor.own, mount_namespace="mnt:[1]")

    assert enforcing.supervisor.performer._fence(call, "reopen") is None


@pytest.mark.usefixtures("landlocked")
def test_what_landlock_refuses_isnt_remembered(
    enforcing: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("text")
    monkeypatch.setattr(type(enforcing.supervisor.judge), "allows", everything)

    for _ in range(3):
        assert -errno.EACCES == enforcing.handle("open", tmp_path / "file", os.O_RDONLY)


def everything(judge: Judge[Questions], domain: object, requests: object) -> bool:
    """A judge that allows whatever is asked, and would again."""
    judge.repeatable, judge.transition = True, None
    return True


def test_nothing_is_fenced_where_nothing_is_enforced(learning: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")

    assert "proceed" == opened(learning, tmp_path / "file")
    assert [] == fences(learning)
