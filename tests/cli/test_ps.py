from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Sekisho
from tests.cli.running import SHELL, running
from tests.engine.supervisor.handled import Handled
from tests.engine.supervisor.supervised import Supervised, domain

from sekisho.cli.processes import parse_line
from sekisho.cli.ps import rows, who


@pytest.fixture
def supervised(tmp_path: Path) -> Supervised:
    return Supervised(tmp_path / "policy")


def test_the_processes_of_a_tree(supervised: Supervised, sekisho: Sekisho) -> None:
    with running(supervised, "learn") as tree:
        done = sekisho("ps", "-P", supervised.path)
        told = json.loads(sekisho("ps", "-P", supervised.path, "--json").out)

    assert tree.process.returncode == 0
    (process,) = told
    assert {"profile": 1, "mode": "learning", "domain": domain(SHELL), "execute_handler": False, "question": None} == {
        name: process[name] for name in ("profile", "mode", "domain", "execute_handler", "question")
    }
    assert process["parent"] == process["supervisor"]
    head, line = done.out.splitlines()
    assert f"supervisor {process['supervisor']}:" == head
    assert [str(process["pid"]), "profile", "1", "learning", *domain(SHELL).split()] == line.split()


def test_two_trees_at_once(supervised: Supervised, sekisho: Sekisho) -> None:
    with running(supervised, "learn"):
        pass
    with running(supervised, "learn"), running(supervised, "run", mode="permissive"):
        told = json.loads(sekisho("ps", "-P", supervised.path, "--json").out)

    assert {"learning", "permissive"} == {process["mode"] for process in told}
    assert 2 == len({process["supervisor"] for process in told})


def test_a_handler_is_marked_and_stands_below_its_parent(tmp_path: Path, sekisho: Sekisho) -> None:
    handled = Handled(tmp_path)
    handler = handled.script('#!/bin/sh\necho "waiting"; read word\n')
    handled.put(f"task auto_execute_handler {handler}", SHELL)
    with running(handled.supervised, "learn") as tree:
        tree.tell("anything")
        tree.hear("waiting")
        lines = sekisho("ps", "-P", handled.supervised.path).out.splitlines()
        tree.tell("go on")

    assert [["learning", *domain(SHELL).split()], ["learning", "*", *domain(SHELL, handler).split()]] == [
        line.split()[3:] for line in lines[1:]
    ]
    assert lines[2].startswith(" " * 4)


def test_nothing_runs(supervised: Supervised, sekisho: Sekisho) -> None:
    done = sekisho("ps", "-P", supervised.path)

    assert (0, "", f"sekisho: nothing runs on {supervised.path}\n") == (done.status, done.out, done.err)
    assert [] == json.loads(sekisho("ps", "-P", supervised.path, "--json").out)


def test_a_missing_directory(tmp_path: Path, sekisho: Sekisho) -> None:
    done = sekisho("ps", "-P", tmp_path / "absent")

    assert (2, "") == (done.status, done.out)


def test_children_stand_below_their_parents_with_their_marks() -> None:
    lines = [
        "10 9 3 enforcing - <kernel> /a",
        "11 10 3 enforcing Q5 <kernel> /a /b",
        "12 11 0 disabled handler <kernel> /c",
        "13 10 3 enforcing handler,Q7 <kernel> /a",
    ]

    assert [
        ["10", "profile 3", "enforcing", "", "<kernel> /a"],
        ["  11", "profile 3", "enforcing", "?5", "<kernel> /a /b"],
        ["    12", "profile 0", "disabled", "*", "<kernel> /c"],
        ["  13", "profile 3", "enforcing", "*?7", "<kernel> /a"],
    ] == list(rows([parse_line(line) for line in lines]))


def test_the_whole_system_is_called_so() -> None:
    assert "supervisor" == who([]) == who([parse_line("10 1 3 enforcing - <kernel> /a")])
    assert "whole system, daemon" == who([parse_line("1 0 3 enforcing - <kernel> /a")])
