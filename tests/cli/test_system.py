"""The command line of the daemon; what it does in a kernel is the subject of tests/engine/lsm/test_system.py."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from sekisho.cli.main import main
from sekisho.cli.system import lines
from sekisho.engine.lsm.daemon import control, machine, pins
from sekisho.errors import UserError

ANSWER: dict[str, Any] = {
    "pid": 7, "since": 0.0, "directory": "/etc/sekisho", "active": True, "called": True, "flavour": "lsm",
    "domains": {"disabled": 3, "enforcing": 2}, "programs": ["file_open"], "missing": {"capable": "no reason"},
    "absent": [], "kernel": {"events": 5, "lost": 0}, "events": {"events": 5, "learned": 2}, "trouble": {},
    "unsaved": False, "trial": False, "lacking": {"file chmod": ["path_chmod"]}, "unprotected": ["protect_map"],
    "missed": 0,
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What the daemon was asked; one that answers everything."""
    found: list[tuple[str, dict[str, Any]]] = []

    def ask(word: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        found.append((word, arguments or {}))
        return {"changed": 2, "domains": 4, "confirmed": True, "active": True, "stopped": True} | (
            ANSWER if word == "status" else {}
        )

    monkeypatch.setattr(control, "ask", ask)
    monkeypatch.setattr(control, "is_there", lambda: False)
    return found


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No daemon, and nothing in force."""

    def ask(word: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        raise control.Absent("the engine's daemon isn't running", "start it: sekisho system start")

    monkeypatch.setattr(control, "ask", ask)
    monkeypatch.setattr(pins, "remove_all", lambda: False)
    monkeypatch.setattr(pins, "folders", list)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("action", ["stop", "panic"])
def test_whoever_is_refused_to_end_it_is_told_so(
    action: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> bool:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(pins, "remove_all", refuse)
    assert 2 == main(["system", action])
    assert "the domain of this shell may not do that: Operation not permitted; " in capsys.readouterr().err


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("action", ["stop", "status", "reload", "enforce", "confirm", "panic"])
def test_without_a_daemon_nothing_is_done(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["system", action])
    assert "isn't running; start it: sekisho system start" in capsys.readouterr().err


def test_status_is_told(asked: list[tuple[str, dict[str, Any]]], capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["system", "status"])
    text = capsys.readouterr().out
    assert "policy is in force\n" in text
    assert "3 disabled, 2 enforcing" in text
    assert "1 attached as lsm, 1 refused" in text
    assert "capable: no reason" in text
    assert "not asked for everywhere: file chmod" in text
    assert "can be got at: without protect_map" in text
    assert 0 == main(["system", "--json", "status"])
    assert '"pid": 7' in capsys.readouterr().out


def test_what_isnt_as_it_should_be_stands_out() -> None:
    assert "everything is allowed" in "\n".join(lines(ANSWER | {"active": False}))
    assert "3 decisions were missed" in "\n".join(lines(ANSWER | {"missed": 3}))
    assert "9 events were lost" in "\n".join(lines(ANSWER | {"kernel": {"lost": 9}}))
    assert "nothing is refused" in "\n".join(lines(ANSWER | {"called": False}))
    assert "without a daemon" in "\n".join(lines({"pid": None, "active": True}))
    assert "on trial" in "\n".join(lines(ANSWER | {"trial": True}))
    assert "not as it says: f:3: task x: y" in "\n".join(lines(ANSWER | {"unserved": ["f:3: task x: y"]}))


def test_requests_are_passed_on(asked: list[tuple[str, dict[str, Any]]], capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("reload", "panic", "stop", "confirm"):
        assert 0 == main(["system", action])
    assert ["reload", "panic", "stop", "confirm"] == [word for word, _ in asked]
    assert "2 domains are held" in capsys.readouterr().err


def test_a_trial_waits_for_a_confirmation(
    asked: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "typed"
    path.write_text("\n")
    with path.open() as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        assert 0 == main(["system", "--confirm", "5", "enforce"])
    assert [("enforce", {"seconds": 5}), ("confirm", {})] == asked
    assert 2 == main(["system", "--confirm", "0", "enforce"])


def test_a_trial_that_nobody_confirms_is_none(
    asked: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "typed"
    path.touch()
    with path.open() as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        assert 1 == main(["system", "--confirm", "1", "enforce"])
    assert [("enforce", {"seconds": 1})] == asked


def test_start_says_what_the_machine_lacks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert 3 == main(["system", "start"])
    assert "only root can" in capsys.readouterr().err


def test_start_ends_a_panic(asked: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "check", lambda: None)
    monkeypatch.setattr(control, "is_there", lambda: True)
    assert 2 == main(["system", "start"])
    monkeypatch.setitem(ANSWER, "active", False)
    asked.clear()
    assert 0 == main(["system", "start"])
    assert ["status", "resume"] == [word for word, _ in asked]


def test_an_error_of_the_daemon_is_ours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(word: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        raise UserError("its domain may not do that")

    monkeypatch.setattr(control, "ask", ask)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert 2 == main(["system", "reload"])
    assert "may not do that" in capsys.readouterr().err
