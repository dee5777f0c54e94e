"""What is found out before anything has run; the run itself is the subject of test_sessions.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.engine.supervisor.running import launch
from sekisho.errors import PolicyError, UserError
from sekisho.policy.model import Config, Domain, Mode, Policy, Profile
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy
from sekisho.store.directory import PolicyDirectory


@pytest.fixture
def directory(policy_directory: Path) -> PolicyDirectory:
    made = PolicyDirectory(policy_directory)
    made.create()
    return made


def first_domain(directory: PolicyDirectory, path: Path, *, learn: bool, mode: Mode | None = None) -> Domain:
    policy = directory.load()
    policy.forced_mode = mode
    return launch._first_domain(policy, str(path), learn=learn, directory=directory)


def test_the_command_is_looked_up_as_a_shell_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, mode in (("plain", 0o644), ("program", 0o755)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("PATH", f"/absent:{tmp_path}")

    assert str(tmp_path / "program") == launch._which("program")
    assert "./anything" == launch._which("./anything")
    for name in ("plain", "folder", "absent"):
        with pytest.raises(UserError, match="command not found"):
            launch._which(name)


def test_the_first_domain_is_made_for_learning(directory: PolicyDirectory, tmp_path: Path) -> None:
    domain = first_domain(directory, tmp_path / "program", learn=True)

    assert f"<kernel> {os.path.realpath(tmp_path)}/program" == domain.name
    assert launch.LEARNING_PROFILE == domain.profile


def test_the_last_name_isnt_followed_and_the_rest_is(directory: PolicyDirectory, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "other").symlink_to("folder")
    (tmp_path / "folder/link").symlink_to("program")

    domain = first_domain(directory, tmp_path / "other/link", learn=True)
    assert domain.name.endswith("/folder/link")


def test_what_was_never_learned_isnt_run(directory: PolicyDirectory, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no domain <kernel> .*sekisho learn"):
        first_domain(directory, tmp_path / "program", learn=False, mode=Mode.ENFORCING)

    assert 1 == first_domain(directory, tmp_path / "program", learn=False, mode=Mode.LEARNING).profile


def test_a_domain_that_is_there_is_used(directory: PolicyDirectory, tmp_path: Path) -> None:
    name = f"<kernel> {os.path.realpath(tmp_path)}/program"
    (directory.path / "domain_policy.conf").write_text(f"{name}\nuse_profile 3\n\nfile read /x\n")

    domain = first_domain(directory, tmp_path / "program", learn=False, mode=Mode.ENFORCING)
    assert (name, 3, 1) == (domain.name, domain.profile, len(domain.entries))


def test_a_policy_with_a_mistake_runs_nothing(directory: PolicyDirectory) -> None:
    (directory.path / "domain_policy.conf").write_text("<kernel>\nuse_profile 0\n\nfile reed /x\n")

    with pytest.raises(PolicyError, match=r"domain_policy.conf:4"):
        launch.supervise(directory, ["/bin/true"], Mode.LEARNING, learn=True)


@pytest.mark.parametrize(
    ("forced", "profile", "enforces"),
    [
        (Mode.ENFORCING, Mode.DISABLED, True),
        (Mode.LEARNING, Mode.ENFORCING, False),
        (None, Mode.ENFORCING, True),
        (None, Mode.PERMISSIVE, False),
    ],
)
def test_whether_anything_is_enforced(forced: Mode | None, profile: Mode, enforces: bool) -> None:
    policy = Policy()
    policy.forced_mode = forced
    some = Profile()
    some.configs["file::open"] = Config(profile, grant_log=False, reject_log=False)
    policy.namespaces["<kernel>"].profiles[1] = some

    assert enforces is launch._enforces(policy)


@pytest.mark.parametrize(
    ("line", "outside"),
    [
        ("ipc ptrace <kernel>", True),
        ("ipc read_memory/get_descriptor <kernel>", True),
        ("ipc ptrace <kernel> /usr/bin/sleep", False),
        ("ipc signal 9 <kernel>", False),
        ("capability SYS_PTRACE", False),
    ],
)
@pytest.mark.parametrize("group", [False, True])
def test_whether_somebody_may_reach_out_of_the_tree(line: str, outside: bool, group: bool) -> None:
    policy = Policy()
    if group:
        parse_exception_policy(f"acl_group 3 {line}\n", policy, source="test")
    else:
        parse_domain_policy(f"<kernel> /program\nuse_profile 3\n\n{line}\n", policy, source="test")

    assert outside is launch.reaches_outside(policy)
