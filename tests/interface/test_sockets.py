from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.interface import sockets


@pytest.fixture(params=["short", "x" * 200 + "/" + "y" * 200])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    place = tmp_path / str(request.param)
    place.mkdir(parents=True)
    return place


def test_a_socket_is_there_only_once_it_listens(place: Path) -> None:
    path = sockets.path_for(place, 4711)
    with sockets.listen(path) as listener:
        assert [path.name] == os.listdir(place) == sockets.names_in(place) == ["control-4711.sock"]
        assert path.stat().st_mode & 0o777 == 0o600
        with sockets.connect(path, 5) as client:
            server, _ = listener.accept()
            with server:
                assert sockets.peer(client) == sockets.peer(server) == (os.getpid(), os.getuid())
                assert sockets.peer_lives(server)
        assert not sockets.is_dead(path)
    assert sockets.is_dead(path)


def test_a_dead_one_is_taken_over_and_a_living_one_is_left_alone(place: Path) -> None:
    path = sockets.path_for(place, 1)
    sockets.listen(path).close()
    assert sockets.path_for(place, 1) == path
    with sockets.listen(path):
        other = sockets.path_for(place, 1)
        assert other.name == "control-1.1.sock"
        with sockets.listen(other):
            assert sockets.names_in(place) == ["control-1.sock", "control-1.1.sock"]
            assert sockets.path_for(place, 1).name == "control-1.2.sock"


def test_a_making_that_was_cut_short_is_in_nobodys_way(place: Path) -> None:
    path = sockets.path_for(place, 1)
    path.with_suffix(".new").write_text("")
    sockets.listen(path).close()

    assert os.listdir(place) == [path.name]


def test_other_files_are_no_sockets_of_ours(tmp_path: Path) -> None:
    for name in ("control-.sock", "control-1.sock.new", "xcontrol-1.sock", "control-1a.sock", "domain_policy.conf"):
        (tmp_path / name).touch()

    assert sockets.names_in(tmp_path) == []


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sockets.connect(tmp_path / "control-1.sock", 1)
    with pytest.raises(FileNotFoundError):
        sockets.connect(tmp_path / "none" / "control-1.sock", 1)
    with pytest.raises(NotADirectoryError):
        (tmp_path / "file").touch()
        sockets.listen(tmp_path / "file" / "control-1.sock")


def test_a_peer_that_has_ended_is_known_to_have(tmp_path: Path) -> None:
    """Whoever connects and ends leaves its pid to others: what is found out about it then is about them."""
    path = tmp_path / "control-1.sock"
    script = (
        "import sys; from pathlib import Path; from sekisho.interface import sockets\n"
        "sock = sockets.connect(Path(sys.argv[1]), 5)"
    )
    with sockets.listen(path) as listener:
        client = subprocess.Popen([sys.executable, "-c", script, str(path)])
        assert client.wait(60) == 0
        server, _ = listener.accept()
        with server:
            assert sockets.peer(server) == (client.pid, os.getuid())
            assert not sockets.peer_lives(server)
