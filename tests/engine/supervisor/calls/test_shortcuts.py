"""A repeated call gets the answer that it would have got the long way."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import shortcuts
from sekisho.engine.supervisor.calls.attributes import STAT_SIZE
from sekisho.engine.supervisor.supervisor import Supervisor


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("text")
    return tmp_path / "file"


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often a planner has had to look."""
    count = [0]
    long_way = Supervisor._answer

    def counted(*arguments: object) -> object:
        count[0] += 1
        return long_way(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Supervisor, "_answer", counted)
    return lambda: count[0]


def test_a_repetition_isnt_planned(enforcing: Stage, file: Path, planned: Callable[[], int]) -> None:
    enforcing.allow(f"file read/getattr {file}")
    address, buffer = enforcing.room()
    for _ in range(3):
        assert ("fd", str(file), False) == enforcing.handle("open", file, os.O_RDONLY)
        assert 0 == enforcing.handle("stat", file, address)
        assert file.stat().st_ino == int.from_bytes(buffer.raw[8:16], "little")

    assert planned() <= 2


def test_what_isnt_granted_is_planned_every_time(enforcing: Stage, file: Path, planned: Callable[[], int]) -> None:
    for _ in range(3):
        assert -errno.EPERM == enforcing.handle("open", file, os.O_RDONLY)

    assert 3 == planned()
    assert 3 == len(enforcing.recorded)


def test_other_flags_are_another_call(enforcing: Stage, file: Path) -> None:
    enforcing.allow(f"file read {file}")
    enforcing.handle("open", file, os.O_RDONLY)

    assert -errno.EPERM == enforcing.handle("open", file, os.O_RDWR)
    assert -errno.EPERM == enforcing.handle("open", file, os.O_RDONLY | os.O_TRUNC)
    assert -errno.EPERM == enforcing.handle("open", file, os.O_WRONLY | os.O_APPEND)
    assert "text" == file.read_text()


def test_an_object_of_another_kind_in_its_place(enforcing: Stage, file: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    enforcing.allow(f"file read {file}")
    enforcing.handle("open", file, os.O_RDONLY)
    file.unlink()
    file.symlink_to("secret")
    assert -errno.EPERM == enforcing.handle("open", file, os.O_RDONLY)
    file.unlink()
    assert -errno.ENOENT == enforcing.handle("open", file, os.O_RDONLY)


def test_a_directory_on_the_way_that_became_a_link(enforcing: Stage, tmp_path: Path) -> None:
    for name in ("good", "evil"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    enforcing.allow(f"file read {tmp_path}/good/file")
    enforcing.handle("open", tmp_path / "good/file", os.O_RDONLY)
    (tmp_path / "good").rename(tmp_path / "moved")
    (tmp_path / "good").symlink_to("evil")

    assert -errno.EPERM == enforcing.handle("open", tmp_path / "good/file", os.O_RDONLY)


def test_relative_names_belong_to_their_directory(enforcing: Stage, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    enforcing.allow(f"file read {tmp_path}/one/file")
    one, two = (os.open(tmp_path / name, os.O_RDONLY) for name in ("one", "two"))
    for _ in range(2):
        assert ("fd", f"{tmp_path}/one/file", False) == enforcing.handle("openat", one, b"file", os.O_RDONLY)
        assert -errno.EPERM == enforcing.handle("openat", two, b"file", os.O_RDONLY)
    for fd in (one, two):
        os.close(fd)


def test_the_caller_gets_the_flags_it_asked_for(enforcing: Stage, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    enforcing.allow(f"file append {file}")
    got: list[int] = []

    def hand_over(_: int, fd: int, flags: int) -> bool:
        got.append(fcntl.fcntl(fd, fcntl.F_GETFL))
        return True

    monkeypatch.setattr(enforcing.listener, "hand_over", hand_over)
    for _ in range(2):
        enforcing.handle("open", file, os.O_WRONLY | os.O_APPEND)
        enforcing.handle("open", file, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)

    mask = os.O_APPEND | os.O_NONBLOCK | os.O_ACCMODE
    assert [os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK] * 2 == [each & mask for each in got]


def test_a_link_that_isnt_followed(enforcing: Stage, file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    enforcing.allow(f"file getattr {tmp_path}/link", f"file getattr {file}")
    address, buffer = enforcing.room()
    for _ in range(2):
        assert 0 == enforcing.handle("lstat", tmp_path / "link", address)
        assert os.lstat(tmp_path / "link").st_ino == int.from_bytes(buffer.raw[8:16], "little")
        assert 0 == enforcing.handle("newfstatat", -100, tmp_path / "link", address, 0)
        assert file.stat().st_ino == int.from_bytes(buffer.raw[8:16], "little")
        assert bytes(256 - STAT_SIZE) == buffer.raw[STAT_SIZE:]


def test_what_may_wait_is_never_opened_on_the_way(enforcing: Stage, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        enforcing.allow(f"file read {tmp_path}/socket")
        for _ in range(2):
            assert -errno.ENXIO == enforcing.handle("open", tmp_path / "socket", os.O_RDONLY)


def test_a_change_of_names_makes_everything_forgotten(enforcing: Stage, file: Path, planned: Callable[[], int]) -> None:
    enforcing.allow(f"file read {file}", f"file unlink {file}-other")
    enforcing.handle("open", file, os.O_RDONLY)
    before = planned()
    Path(f"{file}-other").touch()
    enforcing.handle("unlink", f"{file}-other".encode())
    assert {} == enforcing.supervisor.shortcuts._known
    assert ("fd", str(file), False) == enforcing.handle("open", file, os.O_RDONLY)
    assert planned() > before


def test_while_a_change_is_under_way_nothing_is_remembered(learning: Stage, file: Path) -> None:
    known = learning.supervisor.shortcuts
    known.changes(1)
    learning.handle("open", file, os.O_RDONLY)
    learning.handle("open", file, os.O_RDONLY)
    assert not any(known._known.values())
    known.settled(1)
    learning.handle("open", file, os.O_RDONLY)
    assert any(known._known.values())


def test_memory_is_bounded(learning: Stage, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcuts, "_MAX", 3)
    for number in range(20):
        learning.handle("open", f"{file}{number}".encode(), os.O_RDONLY)

    assert all(len(keys) <= 5 for keys in learning.supervisor.shortcuts._known.values())
