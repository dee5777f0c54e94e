from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Sekisho

from sekisho.engine.supervisor.running import launch
from sekisho.policy.model import Mode
from sekisho.store.directory import PolicyDirectory


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        ([], Mode.ENFORCING),
        (["-m", "permissive"], Mode.PERMISSIVE),
        (["--mode", "learning"], Mode.LEARNING),
        (["-m", "disabled"], Mode.DISABLED),
        (["-m", "profile"], None),
    ],
)
def test_the_mode_that_is_asked_for(
    policy_directory: Path,
    sekisho: Sekisho,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    mode: Mode | None,
) -> None:
    seen: list[object] = []
    PolicyDirectory(policy_directory).create()

    def supervise(directory: PolicyDirectory, command: list[str], mode: Mode | None, *, learn: bool) -> int:
        seen.extend([directory.path, command, mode, learn])
        return 7

    monkeypatch.setattr(launch, "supervise", supervise)

    assert 7 == sekisho("run", "-P", policy_directory, *arguments, "--", "true", "-m", "x").status
    assert [policy_directory, ["true", "-m", "x"], mode, False] == seen


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "no command given"),
        (["--", "true"], 2, "there is no policy directory"),
        (["--", "no-such-command"], 127, "no-such-command: command not found"),
    ],
)
def test_what_can_not_run_is_told(
    policy_directory: Path, sekisho: Sekisho, arguments: list[str], status: int, said: str
) -> None:
    result = sekisho("run", "-P", policy_directory, *arguments)

    assert (status, "") == (result.status, result.out)
    assert said in result.err
    assert not policy_directory.exists()
