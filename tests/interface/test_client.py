from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.interface.serving import serving
from tests.interface.stage import Stage

from sekisho.errors import UserError
from sekisho.interface import client, sockets
from sekisho.interface.client import RunningTree, Tree
from sekisho.interface.local import Local
from sekisho.store.directory import PolicyDirectory


@pytest.fixture
def directory(policy_directory: Path) -> Path:
    PolicyDirectory(policy_directory).create()
    return policy_directory


def test_where_no_tree_runs_the_directory_speaks_for_itself(directory: Path) -> None:
    service = client.connect(directory)
    try:
        assert isinstance(service, Local)
        assert service.open("version").read(100) == b"2.6.0"
    finally:
        service.close()


def test_where_one_runs_it_speaks(directory: Path) -> None:
    with serving(Stage(), directory) as (served, _):
        assert client.trees(directory) == [Tree(os.getpid(), served.server.path)]
        for tree in (None, os.getpid()):
            service = client.connect(directory, tree)
            assert isinstance(service, RunningTree)
            file = service.open("manager")
            assert file.read(100) == b"/sbin/manager\n"
            file.close()
            service.close()


def test_where_several_run_one_has_to_be_chosen(directory: Path) -> None:
    with serving(Stage(), directory), serving(Stage(), directory):
        assert len(client.trees(directory)) == 2
        with pytest.raises(UserError, match=rf"several trees run on .*: {os.getpid()} {os.getpid()}; choose one"):
            client.connect(directory)
    with pytest.raises(UserError, match="no tree with the supervisor 1 runs on"):
        client.connect(directory, 1)


def test_what_dead_trees_left_is_cleared_away(directory: Path) -> None:
    before = set(os.listdir(directory))
    sockets.listen(directory / "control-1.sock").close()
    assert client.trees(directory) == []

    assert before == set(os.listdir(directory))


def test_a_descriptor_is_named_by_the_tree_that_a_relative_path_meant(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Stage(), directory) as (served, _):
        monkeypatch.chdir(directory)
        tree = RunningTree(Path(served.server.path.name))
        monkeypatch.chdir("/")
        file = tree.open("version")
        assert file.read(100) == b"2.6.0"
        file.close()
