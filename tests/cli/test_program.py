from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.cli.program import check


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good").write_text("#!/bin/sh\n")
    (tmp_path / "good").chmod(0o755)
    (tmp_path / "plain").write_text("text\n")
    (tmp_path / "sub").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/absent:{tmp_path}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("good", 0, ""),
        ("./good", 0, ""),
        ("plain", 126, "sekisho: plain: Permission denied\n"),
        ("./plain", 126, "sekisho: ./plain: Permission denied\n"),
        ("./sub", 126, "sekisho: ./sub: Is a directory\n"),
        ("sub", 127, "sekisho: sub: command not found\n"),
        ("absent", 127, "sekisho: absent: command not found\n"),
        ("./absent", 127, "sekisho: ./absent: no such file\n"),
        ("bad\udcff", 127, "sekisho: bad\\xff: command not found\n"),
    ],
)
def test_check(name: str, status: int, said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (status, said) == (check(name), capsys.readouterr().err)
