from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Sekisho

from sekisho.cli import options
from sekisho.engine.supervisor.running import launch
from sekisho.policy.model import Mode
from sekisho.store.directory import PolicyDirectory


def test_the_directory_is_made_and_the_command_run(
    policy_directory: Path, sekisho: Sekisho, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def supervise(directory: PolicyDirectory, command: list[str], mode: Mode | None, *, learn: bool) -> int:
        seen.extend([directory.load().domains.keys(), command, mode, learn])
        return 42

    monkeypatch.setattr(launch, "supervise", supervise)

    assert 42 == sekisho("learn", "-P", policy_directory, "--", "true", "--json").status
    assert [{"<kernel>": None}.keys(), ["true", "--json"], Mode.LEARNING, True] == seen


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "no command given"),
        (["--", "no-such-command"], 127, "no-such-command: command not found"),
        (["--", "/"], 126, "/: Is a directory"),
    ],
)
def test_nothing_is_made_where_nothing_can_run(
    policy_directory: Path, sekisho: Sekisho, arguments: list[str], status: int, said: str
) -> None:
    result = sekisho("learn", "-P", policy_directory, *arguments)

    assert (status, "") == (result.status, result.out)
    assert said in result.err
    assert not policy_directory.exists()
    assert options.MODES["learning"] is Mode.LEARNING


def test_a_policy_with_an_error_stops_it(policy_directory: Path, sekisho: Sekisho) -> None:
    PolicyDirectory(policy_directory).create()
    (policy_directory / "domain_policy.conf").write_text("nonsense\n")

    result = sekisho("learn", "-P", policy_directory, "--", "true")

    assert 2 == result.status
    assert f"{policy_directory}/domain_policy.conf:1:1: " in result.err
    assert "nonsense\n" == (policy_directory / "domain_policy.conf").read_text()
