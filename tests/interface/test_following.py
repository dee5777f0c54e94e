"""Files that daemons keep open, while trees come and go."""

from __future__ import annotations

import errno
import threading

import pytest

from sekisho.interface import following
from sekisho.interface.following import Arrivals, Follower

PATIENCE = 30


class Tree:
    """Stands for a tree and for its file, which fails once the tree is gone."""

    def __init__(self) -> None:
        self.runs = False
        self.uses: list[str] = []

    def is_running(self) -> bool:
        return self.runs

    def read(self, size: int, pid: int, user: int) -> bytes:
        self._use("read")
        return b"record"

    def write(self, data: bytes, pid: int, user: int) -> int:
        if data == b"forbidden":
            raise PermissionError(errno.EPERM, "")
        self._use("write")
        return len(data)

    def readable(self, pid: int, user: int) -> bool:
        self._use("readable")
        return True

    def flush(self) -> None:
        self.uses.append("flush")

    def close(self) -> None:
        self.uses.append("close")

    def _use(self, what: str) -> None:
        if not self.runs:
            raise OSError(errno.EIO, "")
        self.uses.append(what)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_EVERY", 0.01)


def test_without_a_tree_there_is_nothing_and_nobody_to_tell() -> None:
    tree = Tree()
    file = Follower(tree, tree.is_running, Arrivals(tree.is_running), lambda: None)

    assert (b"", 3, False) == (file.read(9, 1, 0), file.write(b"A1\n", 1, 0), file.readable(1, 0))
    assert [] == tree.uses
    file.close()


def test_a_tree_that_starts_wakes_who_waits_and_is_spoken_for_from_then_on() -> None:
    tree, woken = Tree(), threading.Event()
    file = Follower(tree, tree.is_running, Arrivals(tree.is_running), woken.set)
    file.readable(1, 0)
    assert not woken.wait(0.1)
    tree.runs = True

    assert woken.wait(PATIENCE)
    assert (True, b"record") == (file.readable(1, 0), file.read(9, 1, 0))
    assert ["readable", "read"] == tree.uses


def test_the_end_of_a_tree_is_no_error_and_the_next_one_is_followed() -> None:
    tree, woken = Tree(), threading.Event()
    file = Follower(tree, tree.is_running, Arrivals(tree.is_running), woken.set)
    tree.runs = True
    assert file.readable(1, 0)
    tree.runs = False
    assert not file.readable(1, 0)
    assert ["readable", "close"] == tree.uses
    tree.runs = True

    assert woken.wait(PATIENCE)
    assert b"record" == file.read(9, 1, 0)


def test_who_may_not_write_hears_it() -> None:
    tree = Tree()
    tree.runs = True
    file = Follower(tree, tree.is_running, Arrivals(tree.is_running), lambda: None)

    with pytest.raises(PermissionError):
        file.write(b"forbidden", 1, 0)
    assert [] == tree.uses


def test_who_has_closed_the_file_is_not_woken_and_nobody_looks_on() -> None:
    tree, woken, other = Tree(), threading.Event(), threading.Event()
    looks = []

    def is_running() -> bool:
        looks.append(1)
        return tree.runs

    arrivals = Arrivals(is_running)
    arrivals.expect(woken.set)
    arrivals.forget(woken.set)
    arrivals.expect(other.set)
    tree.runs = True

    assert other.wait(PATIENCE)
    assert not woken.is_set()
    before = len(looks)
    assert not threading.Event().wait(0.1)
    assert before == len(looks)
