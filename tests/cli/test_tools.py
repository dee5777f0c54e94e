"""The command line of ``sekisho tools``; what runs there is tested in tests/interface/tools."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Sekisho

from sekisho.interface import fuse, inside, namespace


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """What would have been run, and with which /etc/tomoyo."""
    seen: list[object] = []
    monkeypatch.setattr(fuse, "library", lambda: None)
    monkeypatch.setattr(namespace, "DISK_POLICY", tmp_path)

    def run(command, serve, disk):
        seen.extend([command, disk])
        return 7

    monkeypatch.setattr(inside, "run", run)
    return seen


def test_the_status_is_the_commands_and_its_arguments_are_left_alone(
    sekisho: Sekisho, policy_directory: Path, ran: list[object]
) -> None:
    result = sekisho("tools", "-P", policy_directory, "--", "true", "-P", "--etc")

    assert (7, "", "") == (result.status, result.out, result.err)
    assert [["true", "-P", "--etc"], policy_directory / "tomoyo"] == ran


def test_a_new_directory_is_made_with_room_for_the_tools(
    sekisho: Sekisho, policy_directory: Path, ran: list[object]
) -> None:
    sekisho("tools", "-P", policy_directory, "--", "true")

    assert (policy_directory / "tomoyo/policy").is_dir()
    managers = (policy_directory / "manager.conf").read_text().split()
    assert {"/usr/sbin/tomoyo-loadpolicy", "/usr/sbin/tomoyo-queryd"} <= set(managers)


def test_another_directory_can_stand_for_etc(
    sekisho: Sekisho, policy_directory: Path, ran: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    sekisho("tools", "-P", policy_directory, "--etc", "here", "--", "true")

    assert [["true"], tmp_path / "here"] == ran
    assert not (policy_directory / "tomoyo").exists()


def test_without_tomoyos_directory_there_is_none(
    sekisho: Sekisho, policy_directory: Path, ran: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(namespace, "DISK_POLICY", tmp_path / "missing")
    sekisho("tools", "-P", policy_directory, "--", "true")

    assert [["true"], None] == ran


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "no command given"),
        (["--", "no-such-command"], 127, "no-such-command: command not found"),
        (["--tree", "1", "--", "true"], 2, "no tree with the supervisor 1 runs on"),
        (["--tree", "one", "--", "true"], 2, "invalid int value"),
    ],
)
def test_what_can_not_be_done_is_told(
    sekisho: Sekisho, policy_directory: Path, ran: list[object], arguments: list[str], status: int, said: str
) -> None:
    result = sekisho("tools", "-P", policy_directory, *arguments)

    assert status == result.status
    assert said in result.err
    assert [] == ran


def test_bad_policy_is_told_before_anything_runs(sekisho: Sekisho, policy_directory: Path, ran: list[object]) -> None:
    sekisho("tools", "-P", policy_directory, "--", "true")
    ran.clear()
    (policy_directory / "profile.conf").write_text("nonsense\n")
    result = sekisho("tools", "-P", policy_directory, "--", "true")

    assert 2 == result.status
    assert "profile.conf:1:" in result.err
    assert [] == ran


def test_a_missing_package_is_told_with_what_to_do(
    sekisho: Sekisho, policy_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mfusepy", None)
    result = sekisho("tools", "-P", policy_directory, "--", "true")

    assert 3 == result.status
    assert "pip install 'sekisho[classic]'" in result.err
    assert not os.path.exists(policy_directory)
