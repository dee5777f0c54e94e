"""Conditions on real calls: what the engine tells them of the caller, the objects and the image is what is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Supervised

CAT, SH, LN = (os.path.realpath(shutil.which(name) or "") for name in ("cat", "sh", "ln"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Supervised]]:
    """A file, a rename, a symbolic link and an exec learned in one place."""
    folder = tmp_path_factory.mktemp("conditions")
    (folder / "file").write_text("text\n")
    (folder / "file").chmod(0o640)
    supervised = Supervised(folder / "policy")
    for command in commands(folder):
        tidy(folder)
        assert supervised.learn(*command).status == 0
    yield folder, supervised


def commands(folder: Path) -> list[tuple[str, ...]]:
    return [(CAT, f"{folder}/file"), (SH, "-c", f"cat {folder}/file; true"), (LN, "-s", "some where", f"{folder}/link")]


def tidy(folder: Path) -> None:
    (folder / "link").unlink(missing_ok=True)


def holds(place: tuple[Path, Supervised], which: int, line: str, condition: str) -> bool:
    """Whether the learned ``line``, narrowed to ``condition``, still lets its command do it."""
    folder, supervised = place
    tidy(folder)
    policy = supervised.path / "domain_policy.conf"
    before = policy.read_text()
    found = [text for text in before.splitlines() if text.startswith(line)]
    assert found, (line, before)
    try:
        for text in found:
            before_condition = text.partition(" exec.")[0].partition(" symlink.")[0]
            policy.write_text(policy.read_text().replace(text + "\n", f"{before_condition} {condition}\n"))
        done = supervised.run(*commands(folder)[which])
    finally:
        policy.write_text(before)
    assert "Operation not permitted" in done.err or done.status == 0, done
    return "Operation not permitted" not in done.err


def numbers(folder: Path) -> list[str]:
    """Conditions that hold when ``cat`` reads the file."""
    file, parent = os.stat(folder / "file"), os.stat(folder)
    me = {"uid": os.getuid(), "gid": os.getgid()}
    task = [f"task.{prefix}{kind}={me[kind]}" for kind in me for prefix in ("", "e", "s", "fs")]
    path = [
        f"path1.uid={file.st_uid}", f"path1.gid={file.st_gid}", f"path1.ino={file.st_ino}", "path1.perm=0640",
        f"path1.major={os.major(file.st_dev)}", f"path1.minor={os.minor(file.st_dev)}", "path1.type=file",
        "path1.perm=owner_read", "path1.perm!=others_read",
    ]  # fmt: skip
    above = [
        f"path1.parent.uid={parent.st_uid}", f"path1.parent.gid={parent.st_gid}", f"path1.parent.ino={parent.st_ino}",
        f"path1.parent.perm=0{parent.st_mode & 0o7777:o}",
    ]  # fmt: skip
    return [*task, *path, *above, "task.pid=2-4194304", "task.ppid=1-4194304"]


def opposite(condition: str) -> str:
    left, operator, right = condition.partition("!=" if "!=" in condition else "=")
    return left + ("=" if operator == "!=" else "!=") + right


@pytest.mark.slow
def test_reading_a_file(place: tuple[Path, Supervised]) -> None:
    folder = place[0]
    line = f"file read/getattr {folder}/file"
    for condition in numbers(folder):
        assert holds(place, 0, line, condition), condition
        assert not holds(place, 0, line, opposite(condition)), opposite(condition)


@pytest.mark.slow
def test_what_has_no_such_object(place: tuple[Path, Supervised]) -> None:
    """A clause on an object that isn't there is false whichever operator it has (spec e)."""
    line = f"file read/getattr {place[0]}/file"
    for condition in ("path2.uid=0", "path2.uid!=0", "exec.argc=1", "exec.argc!=1"):
        assert not holds(place, 0, line, condition), condition


@pytest.mark.slow
def test_executing_a_program(place: tuple[Path, Supervised]) -> None:
    line = f"file execute {CAT}"
    for condition in (
        f'exec.realpath="{CAT}"', "exec.argc=2", 'exec.argv[0]="cat"', 'exec.argv[1]="/\\*/\\{\\*\\}/file"',
        'exec.envp["LANG"]="C"', 'exec.envp["NONE"]=NULL', "exec.envc=1-100", "path1.type=file",
    ):  # fmt: skip
        assert holds(place, 1, line, condition), condition
        assert not holds(place, 1, line, opposite(condition)), opposite(condition)


@pytest.mark.slow
def test_making_a_symbolic_link(place: tuple[Path, Supervised]) -> None:
    line = f"file symlink {place[0]}/link"
    parent = os.stat(place[0])
    for condition in ('symlink.target="some\\040where"', f"path1.parent.ino={parent.st_ino}"):
        assert holds(place, 2, line, condition), condition
        assert not holds(place, 2, line, opposite(condition)), opposite(condition)
