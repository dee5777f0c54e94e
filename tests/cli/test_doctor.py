from __future__ import annotations

import json

import pytest
from tests.cli.conftest import Sekisho

from sekisho.engine.finding import Finding
from sekisho.engine.lsm import doctor as of_system
from sekisho.engine.supervisor.running import doctor

GOOD = Finding("listener", True, "works", "")
BAD = Finding("io_uring", False, "is open", "close it")


def test_findings_are_told(sekisho: Sekisho, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [GOOD, BAD])

    result = sekisho("doctor")

    assert (3, "") == (result.status, result.err)
    assert ["ok   listener: works", "no   io_uring: is open", "     close it"] == result.out.splitlines()


def test_all_well_is_0(sekisho: Sekisho, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [GOOD])

    result = sekisho("doctor", "--json")

    assert 0 == result.status
    assert [{"name": "listener", "ok": True, "detail": "works", "hint": ""}] == json.loads(result.out)


def test_it_examines_this_machine(sekisho: Sekisho) -> None:
    findings = json.loads(sekisho("doctor", "--json").out)

    assert findings
    assert all({"name", "ok", "detail", "hint"} == set(finding) for finding in findings)


def test_the_whole_systems_engine_is_examined_where_it_is_asked_for(
    sekisho: Sekisho, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_system, "examine", lambda: [BAD])

    result = sekisho("doctor", "--system")

    assert (3, ["no   io_uring: is open", "     close it"]) == (result.status, result.out.splitlines())
