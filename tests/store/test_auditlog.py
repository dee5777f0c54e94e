from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.errors import UserError
from sekisho.store.auditlog import AuditWriter, follow, read

WRITER = """
import sys
from sekisho.store.auditlog import AuditWriter

log = AuditWriter(sys.argv[1])
for number in range(500):
    log.append([f"{sys.argv[2]} {number} " + "x" * 5000])
"""


class Enough(Exception):
    """Raised in place of waiting for more."""


def test_lines_are_read_as_appended(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditWriter(path)
    log.append(["one", "two"])
    log.append([])
    log.append(["three"])
    log.close()

    assert ["one", "two", "three"] == list(read(path))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert [] == list(read(tmp_path / "audit.jsonl"))


def test_a_torn_last_line_is_left_out_and_closed_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b'{"a":1}\n{"b":')

    assert ['{"a":1}'] == list(read(path))

    log = AuditWriter(path)
    log.append(['{"c":3}'])
    log.close()

    assert ['{"a":1}', '{"b":', '{"c":3}'] == list(read(path))


def test_a_line_cut_by_a_full_disk_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditWriter(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        log.append(["whole"])
        with pytest.raises(OSError, match="File too large"):
            log.append(["x" * 5000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    log.append(["after"])
    log.close()

    lines = list(read(path))
    assert ("whole", "after", 3) == (lines[0], lines[-1], len(lines))


def test_several_writers_never_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "ab"]

    assert [0, 0] == [writer.wait(60) for writer in writers]
    expected = {f"{name} {number} " + "x" * 5000 for name in "ab" for number in range(500)}
    assert expected == set(read(path))


def test_an_unwritable_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*audit\.jsonl: No such file"):
        AuditWriter(tmp_path / "absent" / "audit.jsonl")


def test_following_sees_what_comes_later(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    steps = iter(
        [
            lambda: path.write_text("one\ntw"),
            lambda: _append(path, "o\nthree\n"),
            lambda: os.replace(_other(tmp_path, "fresh\n"), path),
        ]
    )

    def step(_seconds: float) -> None:
        action = next(steps, None)
        if action is None:
            raise Enough
        action()

    seen = []
    with pytest.raises(Enough):
        for line in follow(path, sleep=step):
            seen.append(line)

    assert ["one", "two", "three", "fresh"] == seen


def _append(path: Path, text: str) -> None:
    with path.open("a") as stream:
        stream.write(text)


def _other(folder: Path, text: str) -> Path:
    path = folder / "other"
    path.write_text(text)
    return path
