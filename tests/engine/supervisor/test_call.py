"""One call being looked at: what its arguments mean, and that nothing stays open."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.call import signed

AT = -100


@pytest.mark.parametrize(
    ("register", "number"),
    [
        (0, 0),
        (7, 7),
        (0xFFFFFF9C, AT),
        (0xFFFFFFFFFFFFFF9C, AT),
        (0x7FFFFFFF, 0x7FFFFFFF),
        (0x80000000, -(1 << 31)),
        (1 << 32, 0),
    ],
)
def test_a_register_as_an_int(register: int, number: int) -> None:
    assert number == signed(register)


def test_objects_and_places(enforcing: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    call = enforcing.call("open", tmp_path / "link")
    path = call.string(call.args[0])

    assert f"{tmp_path}/file" == call.object(AT, path).name
    assert f"{tmp_path}/link" == call.object(AT, path, follow=False).name
    assert bytes(tmp_path / "link") == call.object(AT, path, follow=False).path
    place = call.place(AT, path)
    assert (b"link", f"{tmp_path}/link") == (place.last, call.place_name(place))
    standing = call.occupant(place)
    assert standing is not None and standing.st_ino == os.lstat(tmp_path / "link").st_ino
    assert call.occupant(call.place(AT, bytes(tmp_path / "absent"))) is None


def test_a_place_is_the_directory_that_was_looked_at(enforcing: Stage, tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    call = enforcing.call("open")
    place = call.place(AT, bytes(tmp_path / "here/file"))
    (tmp_path / "here").rename(tmp_path / "moved")
    (tmp_path / "there").rename(tmp_path / "here")

    found = call.object_at(place, follow=True)
    assert (tmp_path / "moved/file").stat().st_ino == found.status.st_ino


def test_relative_paths(enforcing: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fd = os.open(tmp_path, os.O_RDONLY)
    call = enforcing.call("open")

    assert f"{tmp_path}/file" == call.object(fd, b"file").name
    assert os.path.realpath(os.getcwd()) + "/" == call.object(AT & 0xFFFFFFFF, b".").name
    with failing(errno.EBADF):
        call.object(999, b"file")
    with failing(errno.EBADF):
        call.descriptor(-1)
    os.close(fd)


def test_the_open_file_itself(enforcing: Stage) -> None:
    here, there = os.pipe()
    copy = enforcing.call("fcntl").duplicate(here)
    os.write(there, b"x")

    assert b"x" == os.read(copy, 1)
    for fd in (here, there):
        os.close(fd)


def test_everything_is_closed(enforcing: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = os.listdir("/proc/self/fd")
    call = enforcing.call("open")
    call.object(AT, bytes(tmp_path / "file"))
    call.place(AT, bytes(tmp_path / "file"))
    call.cwd()
    call.close()
    call.close()

    assert before == os.listdir("/proc/self/fd")


def test_the_caller(enforcing: Stage) -> None:
    call = enforcing.call("open")
    task = call.task()

    assert (os.getpid(), os.getppid(), os.getuid()) == (task.pid, task.ppid, task.uid)
    assert call.identity() is enforcing.supervisor.own
    assert -1 == call.root()
    assert 1234 == call.outside("uid", 1234)
    mask = os.umask(0o77)
    assert 0o77 == call.umask()
    os.umask(mask)


def test_memory(enforcing: Stage) -> None:
    call = enforcing.call("open")
    address, buffer = enforcing.room(8)
    call.write(address, b"12345678")

    assert b"12345678" == buffer.raw == call.read(address, 8)


def test_requests_know_their_caller(enforcing: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    request = enforcing.plan("open", tmp_path / "file", os.O_RDONLY).requests[0]
    facts = request.facts

    assert os.getpid() == facts.task.pid
    assert facts.path1 is not None and facts.path1_parent is not None
    assert (tmp_path / "file").stat().st_ino == facts.path1.ino
    assert tmp_path.stat().st_ino == facts.path1_parent.ino
    assert facts.path2 is facts.path2_parent is None
