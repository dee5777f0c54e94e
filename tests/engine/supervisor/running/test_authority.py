from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.engine.records import RecordQueue
from sekisho.engine.supervisor.questions import Questions
from sekisho.engine.supervisor.running import protect
from sekisho.engine.supervisor.running.authority import LiveAuthority
from sekisho.engine.supervisor.tasks import Process, lineage
from sekisho.interface.authority import Authority
from sekisho.policy.model import Config, Mode, Policy
from sekisho.policy.stat import Statistics


@dataclass
class Session:
    """What the authority needs of a session."""

    policy: Policy
    questions: Questions
    records: RecordQueue = field(default_factory=RecordQueue)
    statistics: Statistics = field(default_factory=Statistics)
    updates: int = 0

    def updated(self, *, by_hand: bool = False) -> None:
        assert by_hand
        self.updates += 1


@pytest.fixture
def session(enforcing: Stage) -> Session:
    return Session(enforcing.policy, enforcing.supervisor.questions)


@pytest.fixture
def authority(enforcing: Stage, session: Session) -> LiveAuthority:
    return LiveAuthority(session, enforcing.supervisor)  # type: ignore[arg-type]


@pytest.fixture
def child() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


def test_it_is_what_the_interface_wants(authority: LiveAuthority) -> None:
    speaks: Authority = authority
    assert speaks.active
    assert os.getuid() == speaks.owner


def test_a_process_of_the_tree_is_in_its_domain(authority: LiveAuthority) -> None:
    found = authority.domain_of(os.getpid())
    assert found is not None
    assert DOMAIN == found.name


def test_anybody_else_counts_as_the_kernels(authority: LiveAuthority) -> None:
    found = authority.domain_of(1)
    assert found is not None
    assert "<kernel>" == found.name


def test_nobody_is_nowhere(authority: LiveAuthority) -> None:
    assert authority.domain_of(2**22 + 1) is None


def test_who_is_outside(authority: LiveAuthority, enforcing: Stage, child: int) -> None:
    assert authority.is_outside(1)
    assert not authority.is_outside(os.getpid())
    assert not authority.is_outside(child)
    assert not authority.is_outside(2**22 + 1)
    enforcing.supervisor.guard.add_process(1)
    assert not authority.is_outside(1)


def test_a_worker_is_never_placed_in_the_tree(authority: LiveAuthority, enforcing: Stage, child: int) -> None:
    enforcing.supervisor.guard.add_process(child)
    found = authority.domain_of(child)
    assert found is not None
    assert "<kernel>" == found.name
    assert child not in enforcing.supervisor.tasks.by_tgid


def test_the_program_of_a_process(authority: LiveAuthority) -> None:
    assert os.path.realpath("/proc/self/exe") == authority.executable_of(os.getpid())
    assert authority.executable_of(2**22 + 1) is None


def test_the_processes_below(authority: LiveAuthority, enforcing: Stage, child: int) -> None:
    enforcing.process.credits = 1
    (found,) = [process for process in authority.processes() if process.pid == child]
    assert (os.getpid(), DOMAIN, None) == (found.parent, found.domain.name, found.waiting)


def test_a_change_is_counted_and_holds_at_once(authority: LiveAuthority, enforcing: Stage, session: Session) -> None:
    assert Mode.ENFORCING is enforcing.supervisor.modes.of(enforcing.domain, 1, ("file::open",))
    enforcing.policy.namespaces["<kernel>"].profiles[3].configs[""] = Config(Mode.DISABLED, False, False)
    authority.changed()
    assert 1 == session.updates
    assert Mode.DISABLED is enforcing.supervisor.modes.of(enforcing.domain, 1, ("file::open",))


def test_counters_are_the_sessions(authority: LiveAuthority, session: Session) -> None:
    authority.statistics = Statistics().updated(7)
    assert 1 == session.statistics.updates.number


def test_a_process_moves_by_its_own_word(authority: LiveAuthority, enforcing: Stage) -> None:
    enforcing.allow(f"task manual_domain_transition {DOMAIN} /inner")
    authority.move(os.getpid(), f"{DOMAIN} /inner")
    assert f"{DOMAIN} /inner" == enforcing.process.domain.name
    with pytest.raises(OSError) as caught:
        authority.move(os.getpid(), f"{DOMAIN} /other")
    assert errno.EPERM == caught.value.errno


def test_who_cannot_be_placed_moves_nowhere(authority: LiveAuthority) -> None:
    with pytest.raises(PermissionError):
        authority.move(1, DOMAIN)


def test_news_wake(authority: LiveAuthority, enforcing: Stage, session: Session) -> None:
    woken: list[int] = []
    authority.subscribe(lambda: woken.append(1))
    session.questions.observe()
    enforcing.handle("openat", -100, "/etc/hostname", 0)
    assert [1] == woken


def test_what_another_trees_supervisor_holds_is_not_outside(
    authority: LiveAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = os.getppid()
    assert authority.is_outside(parent)

    monkeypatch.setattr(protect, "is_marked", lambda pid: pid == lineage(parent)[1])

    assert not authority.is_outside(parent)


@contextmanager
def running(path: Path, *before: str) -> Iterator[int]:
    """A copy of sleep at ``path`` runs."""
    shutil.copy("/bin/sleep", path)
    process = subprocess.Popen([*before, path, "60"])
    try:
        while Path(f"/proc/{process.pid}/cmdline").read_bytes() != b"%b\x0060\0" % os.fsencode(path):
            time.sleep(0.01)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def test_a_program_that_is_gone_is_known_by_the_name_it_had(authority: LiveAuthority, tmp_path: Path) -> None:
    with running(tmp_path / "program") as pid:
        (tmp_path / "program").unlink()

        assert str(tmp_path / "program") == authority.executable_of(pid)


def test_a_program_that_is_only_called_deleted_is_another(authority: LiveAuthority, tmp_path: Path) -> None:
    with running(tmp_path / "manager (deleted)") as pid:
        assert f"{tmp_path}/manager\\040(deleted)" == authority.executable_of(pid)


@pytest.mark.root
def test_a_program_of_another_mount_namespace_has_no_name(authority: LiveAuthority, tmp_path: Path) -> None:
    with running(tmp_path / "program", "unshare", "--mount") as pid:
        assert authority.executable_of(pid) is None


def test_a_family_of_thousands_of_generations_can_be_told(
    authority: LiveAuthority, enforcing: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = os.getpid()
    monkeypatch.setattr(
        "sekisho.engine.supervisor.running.authority.children", lambda pid: [pid + 1] if pid < first + 3000 else []
    )
    monkeypatch.setattr(
        enforcing.supervisor.tasks, "find", lambda pid: Process(pid, enforcing.domain, pidfd=-1, parent=pid - 1)
    )

    assert [*range(first + 1, first + 3001)] == [process.pid for process in authority.processes()]
