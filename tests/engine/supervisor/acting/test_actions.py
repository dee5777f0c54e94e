"""Actions on pinned descriptors; what planners do with them is tested there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.failing import failing

from sekisho.engine.supervisor.acting import actions
from sekisho.engine.supervisor.acting.actions import ACTIONS, STATX_SIZE, Fd
from sekisho.engine.supervisor.acting.here import HERE


@pytest.fixture(autouse=True)
def entered() -> Iterator[None]:
    actions.enter_process()
    yield
    os.close(HERE.descriptors)
    HERE.descriptors = -1


@pytest.fixture
def top(tmp_path: Path) -> Iterator[Fd]:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    fd = os.open(tmp_path, os.O_PATH)
    yield Fd(fd)
    os.close(fd)


@pytest.fixture
def file(top: Fd) -> Iterator[Fd]:
    fd = actions.child(top, b"file")
    yield fd
    os.close(fd)


def test_a_pinned_object_is_opened_whatever_its_name_means_now(tmp_path: Path, file: Fd) -> None:
    (tmp_path / "file").rename(tmp_path / "moved")
    (tmp_path / "file").write_text("other")
    fd = actions.reopen(file, os.O_RDWR)

    assert b"text" == os.read(fd, 10)
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_making_a_file_means_making_it(tmp_path: Path, top: Fd) -> None:
    fd = actions.create(top, b"new", os.O_WRONLY, 0o666, 0o27)
    os.close(fd)

    assert 0o640 == (tmp_path / "new").stat().st_mode & 0o777
    for name in (b"new", b"link", b"file"):
        with failing(errno.EEXIST):
            actions.create(top, name, os.O_WRONLY, 0o666, 0)


def test_a_file_without_a_name(tmp_path: Path, top: Fd) -> None:
    fd = actions.tmpfile(top, os.O_TMPFILE | os.O_RDWR, 0o666, 0o77)

    assert (0, 0o600) == (os.fstat(fd).st_nlink, os.fstat(fd).st_mode & 0o777)
    actions.link(fd, top, b"named")
    assert os.path.samestat(os.fstat(fd), (tmp_path / "named").stat())
    os.close(fd)


def test_changes_of_a_pinned_object(tmp_path: Path, file: Fd) -> None:
    (tmp_path / "file").rename(tmp_path / "moved")
    actions.chmod(file, 0o600)
    actions.chown(file, os.getuid(), -1)
    actions.truncate(file, 2)

    assert (0o600, "te") == ((tmp_path / "moved").stat().st_mode & 0o777, (tmp_path / "moved").read_text())
    for length in (-1, -(1 << 40)):
        with failing(errno.EINVAL):
            actions.truncate(file, length)


def test_a_link_has_no_mode(top: Fd) -> None:
    link = actions.child(top, b"link")
    with failing(errno.EOPNOTSUPP):
        actions.chmod(link, 0o600)
    os.close(link)


def test_what_cant_be_truncated(top: Fd) -> None:
    with failing(errno.EISDIR):
        actions.truncate(top, 0)


def test_structures(file: Fd) -> None:
    status = os.fstat(file)

    assert status.st_ino == int.from_bytes(actions.getattr_stat(file, 144)[8:16], "little")
    raw = actions.getattr_statx(file, 0x100, 0x7FF)
    assert (STATX_SIZE, status.st_ino) == (len(raw), int.from_bytes(raw[32:40], "little"))


def test_looking_up_within_bounds(tmp_path: Path, top: Fd) -> None:
    fd = actions.find_within(top, b"link", 0x08, True)
    assert os.path.samestat(os.fstat(fd), (tmp_path / "file").stat())
    os.close(fd)
    with failing(errno.EXDEV):
        actions.find_within(top, b"../x", 0x08, True)
    with failing(errno.ELOOP):
        actions.find_within(top, b"link", 0x04, True)


def test_names_are_made_moved_and_removed(tmp_path: Path, top: Fd) -> None:
    assert [0, 0, 0, 0] == [
        actions.mkdir(top, b"made", 0o777, 0o77),
        actions.symlink(b"anything", top, b"sym"),
        actions.rename(top, b"sym", top, b"moved", 0),
        actions.mknod(top, b"fifo", 0o010666, 0, 0o77),
    ]
    assert {"made", "moved", "fifo"} <= set(os.listdir(tmp_path))
    with failing(errno.EEXIST):
        actions.rename(top, b"fifo", top, b"moved", 1)
    assert [0, 0, 0] == [actions.unlink(top, b"moved"), actions.unlink(top, b"fifo"), actions.rmdir(top, b"made")]


def test_every_action_is_asked_for_by_its_own_name() -> None:
    assert all(name == action.__name__ for name, action in ACTIONS.items())
    assert {"find", "reopen", "mount", "bind", "send", "open_handle"} <= set(ACTIONS)
