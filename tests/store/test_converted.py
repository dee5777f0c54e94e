"""Older policy is read from wherever it is; what is written is written whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.convert.remark import Fate
from sekisho.errors import UserError
from sekisho.store.converted import default_texts, read_sources, write_directory
from sekisho.store.directory import PolicyDirectory


def names(paths: list[str]) -> dict[str, str]:
    return {source.kind: Path(source.name).name for source in read_sources(paths)[0]}


def test_a_directory_is_searched_for_both_kinds_of_names(tmp_path: Path) -> None:
    for name in (
        "domain_policy.conf",
        "domain_policy",
        "profile",
        "manager.conf",
        "meminfo.conf",
        "stat.conf",
        "other",
    ):
        (tmp_path / name).write_text("")

    assert names([str(tmp_path)]) == {
        "domain_policy": "domain_policy.conf",
        "profile": "profile",
        "manager": "manager.conf",
    }
    unread = read_sources([str(tmp_path)])[1]
    assert {Path(remark.file).name for remark in unread} == {"domain_policy", "meminfo.conf", "stat.conf"}
    assert {remark.fate for remark in unread} == {Fate.LEFT_OUT}


def test_files_may_be_named_and_be_links_and_hold_anything(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"<kernel>\n\xff\n")
    (tmp_path / "exception_policy.conf").symlink_to(tmp_path / "e")
    (tmp_path / "e").write_text("alias /a /b\n")

    sources, unread = read_sources([str(tmp_path / "old"), str(tmp_path / "exception_policy.conf")])
    assert [(source.kind, source.text) for source in sources] == [
        ("domain_policy", "<kernel>\n\udcff\n"),
        ("exception_policy", "alias /a /b\n"),
    ]
    assert unread == []


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*/nothing: No such file"):
        read_sources([str(tmp_path / "nothing")])
    with pytest.raises(UserError, match="has no policy files; they are called domain_policy.conf"):
        read_sources([str(tmp_path)])


def test_two_files_of_a_kind_are_two_policies(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "profile").write_text("")
    with pytest.raises(UserError, match="are both profile files; convert one policy at a time"):
        read_sources([str(tmp_path / "a"), str(tmp_path / "b")])


@pytest.mark.parametrize("exists", [False, True])
def test_a_directory_is_made_of_texts(tmp_path: Path, exists: bool) -> None:
    made = tmp_path / "new"
    if exists:
        made.mkdir()
    write_directory(made, default_texts())

    assert PolicyDirectory(made).errors() == []
    assert oct(made.stat().st_mode & 0o777) == "0o700"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "x").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("mine")
    before = sorted(path.name for path in tmp_path.iterdir())

    for name in ("new", "link"):
        with pytest.raises(UserError, match="isn't empty; name a directory that isn't there yet, nothing was changed"):
            write_directory(tmp_path / name, {"manager": ""})
    for path in (tmp_path / "file", tmp_path / "no" / "way"):
        with pytest.raises(UserError, match=r"cannot make .*; choose another directory with -o"):
            write_directory(path, {"manager": ""})
    assert before == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    rename = os.rename

    def failing(source: str, target: str, **directories: int) -> None:
        if not directories:  # the whole directory takes its name
            raise error
        rename(source, target, **directories)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises((UserError, KeyboardInterrupt)):
        write_directory(tmp_path / "new", {"manager": ""})

    assert list(tmp_path.iterdir()) == []
