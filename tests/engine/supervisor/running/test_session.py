"""What a run leaves in its policy directory; its signals and ends are the subject of test_sessions.py."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.decide.support import request
from tests.engine.supervisor.forked import child

from sekisho.engine.judge import Judge
from sekisho.engine.supervisor.questions import Questions
from sekisho.engine.supervisor.running.front import Back
from sekisho.engine.supervisor.running.session import Session
from sekisho.engine.supervisor.system import stops
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Domain, Mode
from sekisho.policy.stat import Memory
from sekisho.store.directory import PolicyDirectory

DOMAIN = "<kernel> /program"


@dataclass
class Run:
    """A session that nothing is supervised by."""

    session: Session
    judge: Judge[Questions]
    domain: Domain
    front: socket.socket

    @property
    def path(self) -> Path:
        return self.session.directory.path

    def allows(self, line: str) -> bool:
        return self.judge.allows(self.domain, [request(line)])

    def heard(self) -> list[str]:
        """What the front was told."""
        found = []
        while True:
            try:
                found.append(self.front.recv(65536).decode())
            except BlockingIOError:
                return found


def begin(path: Path, mode: Mode) -> Run:
    directory = PolicyDirectory(path)
    directory.create()
    policy = directory.load()
    policy.forced_mode = mode
    domain = ensure_domain(policy, DOMAIN)
    domain.profile = 1
    front, back = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    front.setblocking(False)
    session = Session(directory, policy, domain, learn=mode is Mode.LEARNING)
    # This process is the front, too: it hears SIGCHLD and doesn't mind.
    return Run(session, session.judge(Back(back, os.getpid())), domain, front)


def end(run: Run) -> None:
    back = run.session._back
    run.session._back = None
    run.session.close()
    run.front.close()
    if back is not None:
        back.channel.close()


@pytest.fixture
def learning(policy_directory: Path) -> Iterator[Run]:
    run = begin(policy_directory, Mode.LEARNING)
    yield run
    end(run)


@pytest.fixture
def enforcing(policy_directory: Path) -> Iterator[Run]:
    run = begin(policy_directory, Mode.ENFORCING)
    yield run
    end(run)


def policy_text(run: Run) -> str:
    return (run.path / "domain_policy.conf").read_text()


def test_what_is_learned_is_safe_before_it_is_saved(learning: Run) -> None:
    assert learning.allows("file read /etc/passwd")

    assert "file read /etc/passwd" not in policy_text(learning)
    (journal,) = learning.path.glob("*.journal")
    assert "file read /etc/passwd" in journal.read_text()
    learning.session.keeper.save()
    assert "file read /etc/passwd" in policy_text(learning)


def test_nothing_is_saved_that_is_saved_already(learning: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    monkeypatch.setattr(learning.session.keeper, "save", lambda: saved.append(1))
    learning.session.keeper._next = 0
    learning.session.keeper.look()
    assert [] == saved
    learning.allows("file read /etc/passwd")
    learning.session.keeper.look()
    assert [1] == saved


def test_what_is_refused_stands_in_the_audit_log(enforcing: Run) -> None:
    assert not enforcing.allows("file read /etc/passwd")

    (line,) = (enforcing.path / "audit.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert ("file read /etc/passwd", False, "enforcing") == (record["acl"], record["granted"], record["mode"])


def test_a_directory_that_cant_be_written_is_told_once(learning: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(learning.session.directory, "save", fail)
    for _ in range(2):
        learning.session.keeper.save()
    monkeypatch.undo()

    assert ["say sekisho: could not save what was learned: [Errno 28] No space left on device"] == learning.heard()


def test_lost_records_are_told(enforcing: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(enforcing.session.keeper._audit, "append", fail)
    for _ in range(2):
        assert not enforcing.allows("file read /etc/passwd")

    (told,) = enforcing.heard()
    assert "audit records are being lost" in told


def test_the_end_of_the_command_is_told_when_all_is_saved(learning: Run) -> None:
    learning.allows("file read /etc/passwd")
    back = learning.session._back
    learning.session._finished(3)

    said, status = learning.heard()
    assert "learned 1 new entries; 1 domains with 1 entries" in said
    assert "exit 3" == status
    assert "file read /etc/passwd" in policy_text(learning)
    assert back is not None
    back.channel.close()


def test_the_counters_are_kept(learning: Run) -> None:
    learning.allows("file read /etc/passwd")
    learning.session.keeper.save()
    text = (learning.path / "stat.conf").read_text()

    assert [] != [line for line in text.splitlines() if line.startswith("Policy update:") and " 1 " in f"{line} "]


def test_a_quota_on_policy_ends_learning(learning: Run) -> None:
    statistics = learning.session.statistics
    learning.session.statistics = replace(statistics, policy_memory=Memory(0, 1))
    assert learning.allows("file read /etc/passwd")
    assert [] == learning.domain.entries
    assert "nothing more is learned" in " ".join(learning.heard())


def test_an_edit_is_saved_although_nothing_else_happens(learning: Run) -> None:
    assert -1 == learning.session.keeper.patience()
    learning.allows("file read /etc/passwd")
    assert 1.5 < learning.session.keeper.patience() <= 2
    learning.session.updated(by_hand=True)
    assert 0 <= learning.session.keeper.patience() <= 0.1
    learning.session.keeper._next = 0
    learning.session.keeper.look()
    assert -1 == learning.session.keeper.patience()
    assert "file read /etc/passwd" in policy_text(learning)


def _with_a_thread(channel: socket.socket) -> None:
    thread = threading.Thread(target=signal.pause, daemon=True)
    thread.start()
    channel.send(str(thread.native_id).encode())
    channel.recv(100)


def test_the_end_of_a_command_that_has_a_traced_thread(learning: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def waited_in_vain(*_: object) -> None:
        raise TimeoutError

    nobody = SimpleNamespace(ended=lambda pid: None, collected=lambda pid: None)
    supervisor = SimpleNamespace(executions=nobody, holding=nobody, workers=nobody)
    former, back = signal.signal(signal.SIGALRM, waited_in_vain), learning.session._back
    with child(_with_a_thread) as other:
        thread = int(other.hear())
        stops.stop(thread)
        while stops.reported(thread) is None:
            time.sleep(0.001)
        monkeypatch.setattr(learning.session, "_supervisor", supervisor, raising=False)
        monkeypatch.setattr(learning.session, "_child", other.pid, raising=False)
        os.kill(other.pid, signal.SIGKILL)
        signal.alarm(10)
        learning.session.wait()
        signal.alarm(0)
    signal.signal(signal.SIGALRM, former)

    assert "exit 137" == learning.heard()[-1]
    assert back is not None
    back.channel.close()
