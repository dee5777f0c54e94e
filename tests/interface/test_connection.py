from __future__ import annotations

import errno
import os
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from tests.interface.serving import PATIENCE, eventually, serving
from tests.interface.stage import Stage

from sekisho.interface import wire
from sekisho.policy.printer import print_domain_policy


def test_nobody_is_asked_before_the_first_use(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, tree):
        file = tree.open("query")
        turns = served.turns
        assert (served.server.clients, served.turns) == ({}, turns)
        assert file.read(100, 10, 0) == b""
        assert len(served.server.clients) == 1
        file.close()
        eventually(lambda: not served.server.clients)
        assert served.stage.questions.observers == 0


def test_each_operation_is_done_for_the_process_it_names(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, tree):
        served.stage.put(20, "<kernel> /bin/x")
        file = tree.open("self_domain")
        assert file.read(100, 20, 0) == b"<kernel> /bin/x"
        manager = tree.open("manager")
        assert manager.write(b"/bin/new\n", 10, 0) == 9
        with pytest.raises(PermissionError):
            manager.write(b"/bin/newer\n", 11, 0)
        with pytest.raises(PermissionError):
            manager.write(b"/bin/newer\n", 10, os.getuid() + 1)
        assert served.stage.policy.managers == ["/sbin/manager", "/bin/new"]


def test_an_administrator_needs_not_be_a_manager(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, tree):
        tree.open("manager", administrator=True).write(b"/bin/new\n")

        assert served.stage.policy.managers == ["/sbin/manager", "/bin/new"]


@pytest.mark.parametrize("size", [1, 4096, wire.MOST, wire.MOST + 1, 1 << 20])
def test_any_size_is_read(tmp_path: Path, size: int) -> None:
    lines = 30 if size == 1 else 5000
    stage = Stage().holds("<kernel> /a\n" + "".join(f"file read /name/{number}\n" for number in range(lines)))
    with serving(stage, tmp_path) as (_, tree):
        file = tree.open("domain_policy")
        pieces = []
        while piece := file.read(size):
            assert len(piece) <= size
            pieces.append(piece)

        assert b"".join(pieces).decode() == print_domain_policy(stage.policy)


def test_any_size_is_written(tmp_path: Path) -> None:
    text = "<kernel> /a\n" + "".join(f"file read /name/{number}\n" for number in range(10_000))
    expected = Stage().holds(text)
    with serving(Stage(), tmp_path) as (served, tree):
        assert tree.open("domain_policy").write(text.encode(), 10, 0) == len(text) > 4 * wire.MOST

        assert print_domain_policy(expected.policy) == print_domain_policy(served.stage.policy)


def test_a_file_that_is_not_there_and_one_that_is_not_written(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (_, tree):
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                tree.open("nonsense").read(1)
        with pytest.raises(OSError, match="Invalid argument"):
            tree.open("version").write(b"x")


def test_waiting_ends_when_there_is_something(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, tree):
        file = tree.open("audit")
        assert not file.readable()
        assert not file.wait_readable(0.05)
        threading.Timer(0.1, lambda: served.do(lambda: served.stage.audit.put("file read /a"))).start()
        assert file.wait_readable(PATIENCE)
        assert b"file read /a" in file.read(4096)
        assert not file.wait_readable(0)


def test_whoever_looked_in_vain_is_woken_once(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, tree):
        wakes: list[float] = []
        file = tree.open("query", wake=lambda: wakes.append(time.monotonic()))
        served.do(lambda: served.stage.questions.ask(1, "file read /a", served.stage.kernel))
        assert file.readable()
        served.do(lambda: served.stage.questions.ask(2, "file read /b", served.stage.kernel))
        served.do(lambda: served.stage.questions.answer(1, 1))
        served.do(lambda: served.stage.questions.answer(2, 1))
        assert not file.readable()
        assert wakes == []
        served.do(lambda: served.stage.questions.ask(3, "file read /c", served.stage.kernel))
        served.do(lambda: served.stage.questions.ask(4, "file read /d", served.stage.kernel))
        eventually(lambda: len(wakes) == 1)
        assert file.readable()


def test_a_wake_that_comes_before_an_answer_is_not_taken_for_it(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, tree):
        wakes: list[int] = []
        file = tree.open("audit", wake=lambda: wakes.append(1))
        for turn in range(200):
            assert not file.readable()
            served.do(partial(served.stage.audit.put, f"file read /{turn}"))
            assert f"file read /{turn}\n".encode() in file.read(4096)
        eventually(lambda: len(wakes) == 200)


def test_a_tree_that_ends_is_an_error_from_then_on_and_wakes(tmp_path: Path) -> None:
    woken = threading.Event()
    with serving(Stage(), tmp_path) as (served, tree):
        file = tree.open("query", wake=woken.set)
        other = tree.open("version")
        assert not file.readable()
        other.read(1)
        served.do(served.drop)
        assert woken.wait(PATIENCE)
        for each in (file, other):
            for _ in range(2):
                with pytest.raises(OSError) as error:
                    each.read(1)
                assert error.value.errno == errno.EIO
    with pytest.raises(OSError) as error:
        tree.open("version").read(1)
    assert error.value.errno == errno.EIO


def test_what_is_closed_is_closed(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (_, tree):
        file = tree.open("version")
        file.read(1)
        file.close()
        file.close()
        with pytest.raises(OSError) as error:
            file.read(1)
        assert error.value.errno == errno.EBADF


def test_many_threads_share_a_file(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, tree):
        file = tree.open("domain_policy", administrator=True)
        failures: list[BaseException] = []

        def writer(number: int) -> None:
            try:
                for turn in range(50):
                    file.write(f"<kernel> /{number}/{turn}\n".encode())
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=writer, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)

        assert failures == []
        assert len(served.stage.policy.domains) == 401
