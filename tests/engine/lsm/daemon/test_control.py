from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sekisho.engine.lsm.daemon.control import Absent, Listener, ask, is_there
from sekisho.errors import UserError


def answer(request: dict[str, Any], pid: int) -> dict[str, Any]:
    if request["do"] == "fail":
        raise UserError("no", "yes")
    return {"heard": request["do"], "pid": pid, "seconds": request.get("seconds")}


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    listener = Listener(answer, tmp_path / "d" / "socket")
    done = threading.Event()

    def serve() -> None:
        while not done.wait(0.001):
            listener.serve()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.path
    done.set()
    thread.join()
    listener.close()


def test_a_request_is_answered(path: Path) -> None:
    assert {"heard": "x", "pid": os.getpid(), "seconds": 3} == ask("x", {"seconds": 3}, path)
    assert 0o600 == path.stat().st_mode & 0o777


def test_errors_come_through(path: Path) -> None:
    with pytest.raises(UserError, match="no; yes"):
        ask("fail", path=path)
    assert "x" == ask("x", path=path)["heard"]


def test_there_is_one_daemon_only(path: Path) -> None:
    with pytest.raises(UserError, match="running already"):
        Listener(answer, path)
    assert is_there(path)


def test_what_a_killed_one_left_is_no_daemon(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    left = Listener(answer, path)
    left._socket.close()
    assert not is_there(path)
    with pytest.raises(Absent):
        ask("x", path=path)
    Listener(answer, path).close()
    assert not path.exists()
