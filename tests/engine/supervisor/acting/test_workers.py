from __future__ import annotations

import errno
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing

from sekisho.engine.supervisor.acting import actions, identity, workers
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.acting.fence import Fence
from sekisho.engine.supervisor.acting.identity import Identity
from sekisho.engine.supervisor.acting.workers import Worker, Workers
from sekisho.engine.supervisor.system import landlock

NOBODY = 65534


@pytest.fixture
def crew() -> Iterator[Workers]:
    made = Workers(identity.of(os.getpid()))
    yield made
    made.close()
    assert set() == made.pids


@pytest.fixture
def root() -> Iterator[int]:
    fd = os.open("/", os.O_PATH | os.O_CLOEXEC)
    yield fd
    os.close(fd)


@pytest.fixture
def worker(crew: Workers, root: int) -> Iterator[Worker]:
    """One with our own rights."""
    made = crew.take(crew.own, os.getpid(), root)
    yield made
    crew.drop(made)


def test_a_worker_acts_and_hands_over(worker: Worker, root: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    fd = worker.call("find", (1, 1, 0, Fd(-1), Fd(-1), bytes(tmp_path / "file"), True))
    opened = worker.call("reopen", (fd, os.O_RDONLY))

    assert b"text" == os.read(opened, 10)
    assert 0 == worker.call("mkdir", (Fd(root), bytes(tmp_path / "made").lstrip(b"/"), 0o777, 0o27))
    assert 0o750 == (tmp_path / "made").stat().st_mode & 0o777
    for each in (fd, opened):
        os.close(each)


def test_an_error_is_the_same_error(worker: Worker, root: int) -> None:
    with failing(errno.ENOENT):
        worker.call("find", (1, 1, 0, Fd(-1), Fd(-1), b"/absent", True))
    with failing(errno.EEXIST):
        worker.call("mkdir", (Fd(root), b"proc", 0o700, 0))


@pytest.mark.root
def test_a_worker_keeps_nothing_open(worker: Worker, root: int) -> None:
    def open_there() -> int:
        return len(os.listdir(f"/proc/{worker.pid}/fd"))

    before = open_there()
    for _ in range(20):
        os.close(worker.call("child", (Fd(root), b"proc")))
    deadline = time.monotonic() + 10
    while open_there() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_idle_workers_are_used_again(crew: Workers, root: int) -> None:
    first = crew.take(crew.own, os.getpid(), root)
    second = crew.take(crew.own, os.getpid(), root)
    assert first is not second
    crew.give_back(first)

    assert first is crew.take(crew.own, os.getpid(), root)
    assert {first.pid, second.pid} == crew.pids
    crew.drop(first)
    crew.drop(second)


def test_only_so_many_idle_ones_are_kept(crew: Workers, root: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_KEPT_IDLE", 1)
    first, second = (crew.take(crew.own, os.getpid(), root) for _ in range(2))
    crew.give_back(first)
    crew.give_back(second)

    assert {second.pid} == crew.pids, "the one that rested longest goes"
    with pytest.raises(ProcessLookupError):
        os.kill(first.pid, 0)


def test_who_works_inside_a_fence_is_kept_apart(crew: Workers, root: int, tmp_path: Path) -> None:
    made = bytes(tmp_path / "made").lstrip(b"/")
    fence = Fence(landlock.create(landlock.MAKE_DIR, 0))
    free, fenced = crew.take(crew.own, os.getpid(), root), crew.take(crew.own, os.getpid(), root, fence)
    crew.give_back(free)
    crew.give_back(fenced)

    assert fenced is crew.take(crew.own, os.getpid(), root, fence)
    with failing(errno.EACCES):
        fenced.call("mkdir", (Fd(root), made, 0o700, 0))
    assert 0 == free.call("mkdir", (Fd(root), made, 0o700, 0))
    crew.give_back(fenced)
    crew.forget_fence(fence)
    assert {free.pid} == crew.pids
    os.close(fence.ruleset)


def test_a_busy_worker_whose_fence_was_taken_down_goes_when_it_is_done(crew: Workers, root: int) -> None:
    fence = Fence(landlock.create(landlock.MAKE_DIR, 0))
    worker = crew.take(crew.own, os.getpid(), root, fence)
    fence.stands = False
    crew.forget_fence(fence)
    assert {worker.pid} == crew.pids

    crew.give_back(worker)

    assert set() == crew.pids
    os.close(fence.ruleset)


def test_a_worker_that_died(worker: Worker, root: int) -> None:
    os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(EOFError):
        worker.call("child", (Fd(root), b"proc"))
    with pytest.raises(EOFError):
        worker.call("child", (Fd(root), b"proc"))


def test_a_worker_that_takes_too_long(worker: Worker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(workers, "_PATIENCE", 50)
    os.mkfifo(tmp_path / "fifo")
    fd = os.open(tmp_path / "fifo", os.O_PATH)

    with pytest.raises(EOFError):
        worker.call("reopen", (Fd(fd), os.O_RDONLY))
    os.close(fd)


def test_a_worker_ends_with_its_supervisor(crew: Workers, root: int) -> None:
    worker = crew.take(crew.own, os.getpid(), root)
    pidfd = os.pidfd_open(worker.pid)
    worker.channel.close()
    deadline = time.monotonic() + 10
    while os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.close(pidfd)
    crew.pids.discard(worker.pid)


def test_a_worker_cant_be_looked_into(worker: Worker) -> None:
    assert 0 == os.stat(f"/proc/{worker.pid}/mem").st_uid


def test_rights_that_cant_be_had(crew: Workers, root: int) -> None:
    if not os.geteuid():
        return
    own = crew.own
    wanted = Identity((0,) * 4, own.gids, own.groups, 0, own.user_namespace, own.mount_namespace, own.root)

    with failing(errno.EPERM):
        crew.take(wanted, os.getpid(), root)
    assert set() == crew.pids


@pytest.mark.root
def test_a_worker_acts_with_the_rights_it_is_given(crew: Workers, root: int, tmp_path: Path) -> None:
    own = crew.own
    wanted = Identity((NOBODY,) * 4, (NOBODY,) * 4, (), 0, own.user_namespace, own.mount_namespace, own.root)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o600)
    fd = os.open(tmp_path / "secret", os.O_PATH)
    worker = crew.take(wanted, os.getpid(), root)

    with failing(errno.EACCES):
        worker.call("reopen", (Fd(fd), os.O_RDONLY))
    assert (NOBODY,) * 4 == identity.of(worker.pid).uids
    os.close(fd)
    crew.drop(worker)


@pytest.mark.parametrize("name", actions.ACTIONS)
def test_actions_go_by_their_names(name: str) -> None:
    assert name == actions.ACTIONS[name].__name__


def test_what_we_hold_when_a_worker_begins_it_does_not_hold_on_to(crew: Workers, root: int) -> None:
    read, write = os.pipe()
    made = crew.take(crew.own, os.getpid(), root)
    os.close(write)

    assert [read] == select.select([read], [], [], 10)[0]
    os.close(read)
    assert made.call("child", (Fd(root), b"etc")) >= 0
    crew.drop(made)


@pytest.mark.parametrize("failing_part", ["recv_fds", "poll"])
def test_a_worker_whose_answer_is_lost_serves_nobody_else(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, failing_part: str
) -> None:
    """The next one to ask would get this answer."""

    def lacking(*_: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    if failing_part == "recv_fds":
        monkeypatch.setattr(socket, "recv_fds", lacking)
    else:
        monkeypatch.setattr(select, "poll", type("Poll", (), {"register": lacking, "poll": lacking}))
    with pytest.raises(EOFError, match="Cannot allocate memory"):
        worker.call("find", (1, 1, 0, Fd(-1), Fd(-1), b"/dev/null", True))
