from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.decide.request import FileType
from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.plan import CallFacts, Object


@pytest.mark.parametrize("path", [b"/", b"pipe:[12]", b"/absent/directory/file"])
def test_what_has_no_parent(path: bytes) -> None:
    assert Object(Fd(-1), os.stat("/"), "", path).parent() is None


def test_a_parent_is_the_directory_it_stands_in(tmp_path: Path) -> None:
    parent = Object(Fd(-1), os.stat("/"), "", bytes(tmp_path / "file")).parent()

    assert parent is not None
    assert (tmp_path.stat().st_ino, FileType.DIRECTORY) == (parent.ino, parent.type)


def test_facts_are_read_when_asked_for(enforcing: Stage, tmp_path: Path) -> None:
    call = enforcing.call("rename")
    one, two = os.stat(tmp_path), os.stat("/")
    facts = CallFacts(call, path1=one, parent1=two, path2=two, parent2=one, symlink_target="text")

    assert [one.st_ino, two.st_ino, two.st_ino, one.st_ino] == [
        each.ino for each in (facts.path1, facts.path1_parent, facts.path2, facts.path2_parent) if each
    ]
    assert "text" == facts.symlink_target
    assert "task" not in vars(facts)
    assert facts.task is facts.task


def test_an_object_knows_its_directory(enforcing: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    call = enforcing.call("open")
    found = call.object(-100, bytes(tmp_path / "file"))
    parent = CallFacts(call, path1=found).path1_parent

    assert parent is not None and parent.ino == tmp_path.stat().st_ino
    assert CallFacts(call).path1_parent is None
