from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.engine.lsm.daemon import ports as module
from sekisho.engine.lsm.daemon.ports import ReservedPorts, denied
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_exception_policy


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "listed"
    path.write_text("80,8080-8081\n")
    return path


@pytest.fixture
def ports(listed: Path, tmp_path: Path) -> ReservedPorts:
    return ReservedPorts(listed, tmp_path / "record")


def test_what_the_administrator_has_there_stays(ports: ReservedPorts, listed: Path, tmp_path: Path) -> None:
    ports.hold([8081, 8082, 100])
    assert "80,100,8080-8082\n" == listed.read_text()

    # Another daemon, after this one was killed, and the administrator was there.
    listed.write_text("90,100,8080-8082\n")
    ports = ReservedPorts(listed, tmp_path / "record")
    ports.hold([100, 101])
    assert "90,100-101,8080-8081\n" == listed.read_text()

    ports.release()
    assert "90,8080-8081\n" == listed.read_text()
    assert not (tmp_path / "record").exists()


def test_where_nothing_is_denied_nothing_is_touched(ports: ReservedPorts, listed: Path) -> None:
    listed.unlink()
    ports.hold([])
    ports.release()

    assert not listed.exists()
    with pytest.raises(FileNotFoundError):
        ports.hold([1])


def test_what_is_about_to_be_done_is_written_down_first(
    ports: ReservedPorts, listed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, ports: set[int]) -> None:
        raise KeyboardInterrupt

    ports.hold([100])
    with monkeypatch.context() as context:
        context.setattr(module, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            ports.hold([200])
    # It may have been just before, or just after it.
    listed.write_text("80,200\n")

    ReservedPorts(listed, tmp_path / "record").release()
    assert "80\n" == listed.read_text()


def test_many_ports_are_written_in_pieces(ports: ReservedPorts, listed: Path) -> None:
    listed.write_text("\n")
    ports.hold(range(1, 65536, 2))
    written = listed.read_text().split("\n")

    assert len(written) > 100 and max(map(len, written)) < 4096
    assert 32768 == sum(map(len, (each.split(",") for each in written if each)))


def test_ports_of_every_namespace_are_denied() -> None:
    policy = Policy()
    parse_exception_policy("deny_autobind 1024-1025\n<other> deny_autobind 65535\n", policy)

    assert {1024, 1025, 65535} == denied(policy)
