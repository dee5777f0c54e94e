"""Whole calls: what comes back to the caller in each mode, and what is refused because it can't be known."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.stage import ARCHITECTURE, Stage, stage

from sekisho.engine.supervisor.calls.row import Row
from sekisho.policy.model import Config, Mode


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("text")
    return tmp_path / "file"


def test_what_policy_lacks_is_refused_and_recorded(enforcing: Stage, file: Path) -> None:
    assert -errno.EPERM == enforcing.handle("open", file, os.O_RDONLY)
    assert [f"file read {file}"] == enforcing.recorded


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDONLY | os.O_CLOEXEC])
def test_what_policy_grants_is_handed_over(enforcing: Stage, file: Path, flags: int) -> None:
    enforcing.allow(f"file read {file}")

    for _ in range(3):
        assert ("fd", str(file), bool(flags & os.O_CLOEXEC)) == enforcing.handle("open", file, flags)
    assert [] == enforcing.recorded


def test_learning_lets_everything_run(learning: Stage, file: Path) -> None:
    for _ in range(3):
        assert "proceed" == learning.handle("open", file, os.O_RDONLY)
    assert [f"file read {file}"] == learning.learned


def test_permissive_lets_everything_run_and_records_it(file: Path) -> None:
    with stage(Mode.PERMISSIVE) as made:
        for _ in range(2):
            assert "proceed" == made.handle("unlink", file)
        assert [f"file unlink {file}"] * 2 == made.recorded
        assert file.exists()


def test_disabled_looks_at_nothing(disabled: Stage, file: Path) -> None:
    assert "proceed" == disabled.handle("open", file, os.O_RDONLY)
    assert ([], []) == (disabled.recorded, disabled.learned)


@pytest.mark.parametrize(("mode", "answer"), [(Mode.ENFORCING, -errno.ENOENT), (Mode.LEARNING, "proceed")])
def test_what_isnt_there(file: Path, mode: Mode, answer: object) -> None:
    with stage(mode) as made:
        for _ in range(2):
            assert answer == made.handle("open", bytes(file) + b"-not", os.O_RDONLY)
        assert ([], []) == (made.recorded, made.learned)


@pytest.mark.parametrize(("mode", "answer"), [(Mode.ENFORCING, -errno.EFAULT), (Mode.LEARNING, "proceed")])
def test_an_argument_that_cant_be_read(mode: Mode, answer: object) -> None:
    with stage(mode) as made:
        assert answer == made.handle("unlink", 16)


def test_what_a_call_does_is_done_once(enforcing: Stage, file: Path) -> None:
    enforcing.allow(f"file unlink {file}")

    assert 0 == enforcing.handle("unlink", file)
    assert not file.exists()
    assert -errno.ENOENT == enforcing.handle("unlink", file)


def test_names_that_changed_meanwhile_are_looked_at_anew(enforcing: Stage, tmp_path: Path) -> None:
    for name in ("good", "evil"):
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("good")
    enforcing.allow(f"file read {tmp_path}/good")
    for _ in range(2):
        assert ("fd", f"{tmp_path}/good", False) == enforcing.handle("open", tmp_path / "link", os.O_RDONLY)
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("evil")

    assert -errno.EPERM == enforcing.handle("open", tmp_path / "link", os.O_RDONLY)


def test_an_entry_that_is_taken_away_counts_at_once(enforcing: Stage, file: Path) -> None:
    from sekisho.policy.edit import delete_entry

    enforcing.allow(f"file read {file}")
    for _ in range(2):
        assert isinstance(enforcing.handle("open", file, os.O_RDONLY), tuple)
    delete_entry(enforcing.domain, enforcing.domain.entries[0])

    assert -errno.EPERM == enforcing.handle("open", file, os.O_RDONLY)


@pytest.mark.parametrize(("mode", "answer"), [(Mode.ENFORCING, -errno.ENOSYS), (Mode.LEARNING, "proceed")])
def test_a_foreign_interface(mode: Mode, answer: object) -> None:
    with stage(mode) as made:
        made.supervisor.handle(made.notification("open")._replace(arch=0x40000003))

        assert [answer] == made.listener.answers
        assert mode is Mode.ENFORCING or "foreign" in made.warnings[0]


def test_a_process_that_cant_be_placed_is_killed(enforcing: Stage) -> None:
    with child(wait_for_word) as stranger:
        stranger.hear()
        enforcing.supervisor.handle(enforcing.notification("open")._replace(tid=stranger.pid))

        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(stranger.pid, 0)[1])
    assert [] == enforcing.listener.answers
    assert "killed" in enforcing.warnings[0]


def test_where_nothing_is_enforced_it_goes_its_way(learning: Stage) -> None:
    with child(wait_for_word) as stranger:
        stranger.hear()
        learning.supervisor.handle(learning.notification("open")._replace(tid=stranger.pid))

    assert ["proceed"] == learning.listener.answers
    assert "not mediated" in learning.warnings[0]


def test_a_caller_that_is_gone_gets_no_answer(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
    enforcing.supervisor.handle(enforcing.notification("open")._replace(tid=other.pid))

    assert [] == enforcing.listener.answers


@pytest.mark.parametrize(("mode", "answer"), [(Mode.ENFORCING, -errno.EPERM), (Mode.LEARNING, "proceed")])
def test_a_mistake_of_ours_is_no_way_through(mode: Mode, answer: object) -> None:
    def broken(_: object) -> int:
        raise RuntimeError("broken")

    with stage(mode) as made:
        made.supervisor.rows[ARCHITECTURE.numbers["rmdir"]] = Row("rmdir", broken, ("file::rmdir",))

        assert answer == made.handle("rmdir", b"/x")
        assert "broken" in made.warnings[0]


def test_the_policy_directory_is_out_of_reach(enforcing: Stage, file: Path) -> None:
    enforcing.supervisor.guard.add_directory(str(file.parent))
    enforcing.allow(f"file unlink {file}")

    assert -errno.EPERM == enforcing.handle("unlink", file)
    assert file.exists()
    assert "reached for" in enforcing.warnings[0]


def test_a_warning_is_given_once_for_each_process(enforcing: Stage) -> None:
    for _ in range(2):
        enforcing.supervisor.warn_once(enforcing.process, "does something")

    assert [f"process {os.getpid()} does something"] == enforcing.warnings


def test_no_descriptor_is_left(enforcing: Stage, file: Path) -> None:
    enforcing.allow(f"file read/getattr {file}")
    address, _ = enforcing.room()
    enforcing.handle("open", file, os.O_RDONLY)
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        enforcing.handle("open", file, os.O_RDONLY)
        enforcing.handle("stat", file, address)
        enforcing.handle("unlink", file)
        enforcing.handle("open", b"/absent", os.O_RDONLY)

    assert before == os.listdir("/proc/self/fd")


def test_what_is_enforced_for_some_calls_protects_the_policy_from_the_others(enforcing: Stage, file: Path) -> None:
    enforcing.supervisor.guard.add_directory(str(file.parent))
    profile = enforcing.policy.namespaces["<kernel>"].profiles[3]
    profile.configs["file::unlink"] = Config(Mode.LEARNING, grant_log=False, reject_log=True)
    enforcing.supervisor.policy_changed()

    assert -errno.EPERM == enforcing.handle("unlink", file)
    assert "proceed" == enforcing.handle("unlink", file.parent.parent / "elsewhere")
    assert file.exists()


def test_what_could_not_be_looked_at_is_told_in_learning_mode(
    learning: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr("os.pread", lacking)

    assert "proceed" == learning.handle("unlink", tmp_path / "file")
    (warning,) = learning.warnings
    assert "unlink of process" in warning
    assert "Cannot allocate memory: what it asked for is neither learned nor recorded" in warning
