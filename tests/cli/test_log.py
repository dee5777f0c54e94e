from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Sekisho

from sekisho.audit.jsonl import format_json
from sekisho.audit.record import Record
from sekisho.decide.request import Task
from sekisho.policy.model import Mode
from sekisho.store.auditlog import AuditWriter
from sekisho.store.directory import PolicyDirectory

TIME = 1_700_000_000.5


def line(mode: Mode, acl: str, *, granted: bool = False) -> str:
    return format_json(Record(TIME, 1, mode, granted, "<kernel> /bin/x", acl, Task(pid=7, uid=1000)))


@pytest.fixture
def directory(directory: PolicyDirectory, monkeypatch: pytest.MonkeyPatch) -> PolicyDirectory:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    log = AuditWriter(directory.audit_log)
    log.append(
        [
            line(Mode.ENFORCING, "file read /a"),
            line(Mode.LEARNING, "file read /b"),
            line(Mode.PERMISSIVE, r"file read /caf\303\251"),
            line(Mode.ENFORCING, "file read /d", granted=True),
            line(Mode.ENFORCING, "use_profile 1"),
        ]
    )
    log.close()
    return directory


def test_one_line_a_record(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    result = sekisho("log", "-P", directory.path)

    assert (0, "") == (result.status, result.err)
    assert [
        "2023-11-14 22:13:20 enforcing <kernel> /bin/x: denied file read /a",
        "2023-11-14 22:13:20 learning <kernel> /bin/x: learned file read /b",
        r"2023-11-14 22:13:20 permissive <kernel> /bin/x: permitted file read /caf\303\251",
        "2023-11-14 22:13:20 enforcing <kernel> /bin/x: granted file read /d",
        "2023-11-14 22:13:20 enforcing <kernel> /bin/x: note use_profile 1",
    ] == result.out.splitlines()


def test_denied_only(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    assert ["2023-11-14 22:13:20 enforcing <kernel> /bin/x: denied file read /a"] == sekisho(
        "log", "--denied", "-P", directory.path
    ).out.splitlines()


def test_json_lines(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    records = [json.loads(line) for line in sekisho("log", "--json", "-P", directory.path).out.splitlines()]

    assert 5 == len(records)
    assert ("file read /a", "enforcing", False, 7) == (
        records[0]["acl"], records[0]["mode"], records[0]["granted"], records[0]["task"]["pid"],
    )  # fmt: skip


def test_text_as_tomoyo_writes_it(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    lines = sekisho("log", "--text", "--denied", "-P", directory.path).out.splitlines()

    assert lines[0].startswith("#2023/11/14 22:13:20# profile=1 mode=enforcing granted=no (global-pid=0) task={ pid=7 ")
    assert ["<kernel> /bin/x", "file read /a"] == lines[1:]


def test_broken_lines_are_counted_not_shown(directory: PolicyDirectory, sekisho: Sekisho) -> None:
    with directory.audit_log.open("a") as stream:
        stream.write('{"time":1}\nnonsense\n' + line(Mode.ENFORCING, "file read /e") + '\n{"torn":')

    result = sekisho("log", "--denied", "-P", directory.path)

    assert ["/a", "/e"] == [shown.split()[-1] for shown in result.out.splitlines()]
    assert f"sekisho: {directory.audit_log}: left out 2 line(s) that aren't whole records\n" == result.err


def test_an_empty_log_and_a_missing_directory(policy_directory: Path, sekisho: Sekisho) -> None:
    assert 2 == sekisho("log", "-P", policy_directory).status
    PolicyDirectory(policy_directory).create()

    assert (0, "", "") == (
        (result := sekisho("log", "-P", policy_directory)).status, result.out, result.err,
    )  # fmt: skip


def test_following(directory: PolicyDirectory) -> None:
    command = [sys.executable, "-m", "sekisho", "log", "-f", "--denied", "-P", str(directory.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().endswith(": denied file read /a\n")
            log = AuditWriter(directory.audit_log)
            log.append([line(Mode.ENFORCING, "file read /later")])
            log.close()
            assert process.stdout.readline().endswith(": denied file read /later\n")
        finally:
            process.terminate()
