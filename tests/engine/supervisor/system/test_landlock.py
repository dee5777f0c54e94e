from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.supervisor import tried

from sekisho.engine.supervisor.running import protect
from sekisho.engine.supervisor.system import landlock


def held(ruleset: Callable[[], int], *tries: Callable[[], object]) -> list[int]:
    """The errno of each try (0: it worked) in a process that is held to ``ruleset``."""

    def play() -> list[int]:
        protect.no_new_privileges()
        landlock.restrict(ruleset())
        return [outcome(each) for each in tries]

    return tried.in_child(play)


def outcome(action: Callable[[], object]) -> int:
    try:
        action()
    except OSError as failure:
        return failure.errno or -1
    return 0


def leaving(path: Path, rights: int) -> Callable[[], int]:
    def ruleset() -> int:
        made = landlock.create(landlock.READ_FILE | landlock.READ_DIR | landlock.MAKE_DIR, 0)
        fd = os.open(path, os.O_PATH)
        landlock.leave_below(made, fd, rights, directory=path.is_dir())
        os.close(fd)
        return made

    return ruleset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "left").mkdir()
    for name in ("left/file", "other"):
        (tmp_path / name).write_text("text")
    return tmp_path


def test_what_is_left_below_a_folder(folder: Path) -> None:
    rights = landlock.READ_FILE | landlock.READ_DIR

    assert [0, 0, errno.EACCES, errno.EACCES] == held(
        leaving(folder / "left", rights),
        (folder / "left" / "file").read_text,
        lambda: os.listdir(folder / "left"),
        (folder / "other").read_text,
        (folder / "left" / "made").mkdir,
    )


def test_a_file_is_left_what_files_can_have(folder: Path) -> None:
    assert [0, errno.EACCES] == held(
        leaving(folder / "other", landlock.READ_FILE | landlock.MAKE_DIR),
        (folder / "other").read_text,
        (folder / "left" / "file").read_text,
    )


def test_nothing_at_all_may_be_left_on_a_file(folder: Path) -> None:
    assert [errno.EACCES] == held(leaving(folder / "other", landlock.MAKE_DIR), (folder / "other").read_text)


def test_ports() -> None:
    with socket.socket() as open_one, socket.socket() as other:
        for sock in (open_one, other):
            sock.bind(("127.0.0.1", 0))
            sock.listen()
        port, withheld = open_one.getsockname()[1], other.getsockname()[1]

        def ruleset() -> int:
            made = landlock.create(0, landlock.CONNECT_TCP)
            landlock.leave_port(made, port, landlock.CONNECT_TCP)
            return made

        assert [0, errno.EACCES] == held(
            ruleset,
            lambda: socket.create_connection(("127.0.0.1", port)),
            lambda: socket.create_connection(("127.0.0.1", withheld)),
        )


@pytest.mark.parametrize(
    ("version", "files", "network"),
    [
        (0, 0, 0),
        (1, (landlock.MAKE_SYM << 1) - 1, 0),
        (2, (landlock.REFER << 1) - 1, 0),
        (3, (landlock.TRUNCATE << 1) - 1, 0),
        (4, (landlock.TRUNCATE << 1) - 1, landlock.BIND_TCP | landlock.CONNECT_TCP),
        (9, (landlock.TRUNCATE << 1) - 1, landlock.BIND_TCP | landlock.CONNECT_TCP),
    ],
)
def test_what_each_version_knows(version: int, files: int, network: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: version)

    assert (files, network) == landlock.known.__wrapped__()


def test_the_kernel_takes_all_that_is_known() -> None:
    files, network = landlock.known()
    if landlock.abi():
        os.close(landlock.create(files, network))


def test_without_landlock_the_version_is_0() -> None:
    def play() -> int:
        tried.refuse({"landlock_create_ruleset": errno.ENOSYS})
        return landlock.abi()

    assert 0 == tried.in_child(play)
