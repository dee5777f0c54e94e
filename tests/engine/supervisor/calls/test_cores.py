from __future__ import annotations

import errno
import resource
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import cores
from sekisho.engine.supervisor.system import procfs

CORE = resource.RLIMIT_CORE
UNLIMITED = (1 << 64) - 1


@pytest.fixture(autouse=True)
def pattern(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Dumps are written to files, and the limits are what they were afterwards."""
    file = tmp_path / "core_pattern"
    file.write_text("core\n")
    monkeypatch.setattr(cores, "_PATTERN", str(file))
    before = resource.getrlimit(CORE)
    yield file
    resource.setrlimit(CORE, before)


def both(soft: int, hard: int) -> bytes:
    return struct.pack("QQ", soft, hard)


@pytest.mark.parametrize("soft", [1, UNLIMITED])
def test_no_dump_can_be_asked_for(enforcing: Stage, soft: int) -> None:
    at = enforcing.pointer(both(soft, UNLIMITED))

    assert -errno.EPERM == enforcing.handle("setrlimit", CORE, at)
    assert -errno.EPERM == enforcing.handle("prlimit64", 0, CORE, at, 0)
    assert -errno.EPERM == enforcing.handle("prlimit64", enforcing.process.tgid, CORE, at, 0)
    assert 1 == len(enforcing.warnings)


def test_doing_without_is_done_in_the_callers_place(enforcing: Stage) -> None:
    before = resource.getrlimit(CORE)
    # A hard limit that is lowered can't be raised again.
    hard = before[1] & UNLIMITED
    old, room = enforcing.room(16)

    assert 0 == enforcing.handle("prlimit64", 0, CORE, enforcing.pointer(both(0, hard)), old)
    assert (0, before[1]) == resource.getrlimit(CORE)
    assert both(before[0] & UNLIMITED, hard) == room.raw
    resource.setrlimit(CORE, before)
    assert 0 == enforcing.handle("setrlimit", CORE, enforcing.pointer(both(0, hard)))
    assert (0, before[1]) == resource.getrlimit(CORE)


def test_others_are_left_alone(enforcing: Stage) -> None:
    assert -errno.EPERM == enforcing.handle("prlimit64", 1, CORE, enforcing.pointer(both(0, 0)), 0)
    assert "proceed" == enforcing.handle("prlimit64", 1, CORE, 0, 0)
    assert "proceed" == enforcing.handle("prlimit64", 1, resource.RLIMIT_NOFILE, enforcing.pointer(both(9, 9)), 0)


def test_where_files_may_be_made_unasked_it_just_runs(learning: Stage, disabled: Stage) -> None:
    for made in (learning, disabled):
        assert "proceed" == made.handle("setrlimit", CORE, made.pointer(both(1, 1)))
        assert [] == made.warnings


@pytest.mark.parametrize("text", ["|/usr/lib/systemd/systemd-coredump %P\n", "@/run/core.socket\n"])
def test_what_the_administrator_collects_is_no_file(enforcing: Stage, pattern: Path, text: str) -> None:
    pattern.write_text(text)

    assert "proceed" == enforcing.handle("setrlimit", CORE, enforcing.pointer(both(1, 1)))


def test_who_enters_an_enforcing_domain_has_none(
    enforcing: Stage, learning: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[int, ...]] = []

    def prlimit(pid: int, kind: int, limits: tuple[int, int] | None = None) -> tuple[int, int]:
        done.append((pid, *(limits or ())))
        return 4096, 8192

    monkeypatch.setattr(resource, "prlimit", prlimit)

    cores.withhold(learning.supervisor, learning.process)
    assert [] == done
    cores.withhold(enforcing.supervisor, enforcing.process)
    tgid = enforcing.process.tgid
    assert [] == enforcing.warnings
    assert [(tgid,), (tgid, 0, 8192)] == done


@pytest.mark.parametrize(("soft", "warned"), [("0", 0), ("4096", 1), ("unlimited", 1)])
def test_another_users_limits_may_be_out_of_reach(
    enforcing: Stage, monkeypatch: pytest.MonkeyPatch, soft: str, warned: int
) -> None:
    def prlimit(pid: int, kind: int, limits: tuple[int, int] | None = None) -> tuple[int, int]:
        raise PermissionError(errno.EPERM, "not ours")

    text = f"Max stack size 1 2 bytes\nMax core file size        {soft}   unlimited   bytes\n".encode()
    read = procfs.read
    monkeypatch.setattr(resource, "prlimit", prlimit)
    monkeypatch.setattr(procfs, "read", lambda path: text if path.endswith("/limits") else read(path))

    cores.withhold(enforcing.supervisor, enforcing.process)

    assert warned == len(enforcing.warnings)
