"""Files whose tree, or directory, is found out when they are first used."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from sekisho.interface import client
from sekisho.interface.attached import Attached
from sekisho.interface.client import Tree
from sekisho.store.directory import PolicyDirectory


class Service:
    """Stands for a tree or a directory; what is opened gives its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False
        self.opened: list[tuple[str, bool, bool]] = []

    def open(self, name, *, readable, writable, wake):
        self.opened.append((name, readable, writable))
        return File(self)

    def close(self) -> None:
        self.closed = True


class File:
    def __init__(self, service: Service) -> None:
        self.service = service

    def read(self, size: int, pid: int, user: int) -> bytes:
        return self.service.name.encode()

    def close(self) -> None:
        pass

    def flush(self) -> None:
        pass


class World:
    """The trees that run, and every service that was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trees: list[Tree] = []
        self.services: list[Service] = []
        monkeypatch.setattr(client, "trees", lambda directory: self.trees)
        monkeypatch.setattr(client, "connect", self.connect)

    def connect(self, directory, tree, log):
        pids = [each.pid for each in self.trees if tree in (None, each.pid)]
        self.services.append(Service(str(pids[0]) if pids else "directory"))
        return self.services[-1]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def opener(tree: int | None = None) -> Attached:
    return Attached(Path("/policy"), tree, print)


def test_opening_asks_nobody(world: World) -> None:
    file = opener()("profile", os.O_RDWR, lambda: None)
    file.flush()
    file.close()

    assert [] == world.services


def test_the_next_file_speaks_for_who_is_there_then(world: World) -> None:
    files = opener()
    first = files("profile", os.O_RDONLY, lambda: None)
    second = files("stat", os.O_RDONLY, lambda: None)
    assert b"directory" == first.read(9, 1, 0)
    world.trees = [Tree(7, Path("socket"))]

    assert b"7" == second.read(9, 1, 0)
    assert b"directory" == first.read(9, 1, 0)


def test_files_of_one_directory_share_it_as_long_as_one_is_open(world: World) -> None:
    files = opener()
    opened = [files("profile", flags, lambda: None) for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR)]
    for file in opened:
        file.read(9, 1, 0)
    for file in opened[:2]:
        file.close()

    (service,) = world.services
    assert [("profile", True, False), ("profile", False, True), ("profile", True, True)] == service.opened
    assert not service.closed
    opened[2].close()
    assert service.closed


def test_a_named_tree_is_the_only_one(world: World) -> None:
    world.trees = [Tree(7, Path("socket")), Tree(8, Path("other"))]
    files = opener(8)
    query = files("query", os.O_RDWR, lambda: None)

    assert b"8" == query.read(9, 1, 0)
    world.trees = [Tree(7, Path("socket"))]
    assert not files.is_running()
    query.close()


def test_a_policy_that_can_not_be_loaded_is_an_input_output_error(policy_directory: Path) -> None:
    PolicyDirectory(policy_directory).create()
    (policy_directory / "domain_policy.conf").write_text("nonsense\n")
    said: list[str] = []
    file = Attached(policy_directory, None, said.append)("domain_policy", os.O_RDONLY, lambda: None)

    with pytest.raises(OSError, match="Input/output error"):
        file.read(9, 1, 0)
    assert "domain_policy.conf:1:1" in said[0]
    file.close()


def test_the_real_thing_reads_a_directory(policy_directory: Path) -> None:
    PolicyDirectory(policy_directory).create()
    file = Attached(policy_directory, None, print)("version", os.O_RDONLY, lambda: None)

    assert b"2.6.0" == file.read(99, os.getpid(), os.getuid())
    file.close()
    assert [] == [thread for thread in threading.enumerate() if thread.name == "policy saver"]
