from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.engine.lsm.daemon import machine
from sekisho.engine.lsm.kernel.kinds import Flavour
from sekisho.errors import NotSupported


def test_how_programs_get_to_run(tmp_path: Path) -> None:
    lsms = tmp_path / "lsm"
    assert Flavour.MODIFY_RETURN is machine.flavour(lsms)
    lsms.write_text("lockdown,capability,bpfish")
    assert Flavour.MODIFY_RETURN is machine.flavour(lsms)
    lsms.write_text("lockdown,capability,bpf\n")
    assert Flavour.LSM is machine.flavour(lsms)


def test_processors_are_counted_to_the_last_possible(tmp_path: Path) -> None:
    possible = tmp_path / "possible"
    possible.write_text("0-3,8-11\n")
    assert 12 == machine.processors(possible)
    possible.write_text("0\n")
    assert 1 == machine.processors(possible)
    assert machine.processors(tmp_path / "none") >= 1


def test_only_root_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotSupported, match="only root"):
        machine.check()


def test_the_file_system_for_pins_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    loaded, mounts, bpffs = tmp_path / "x.bpf.o", tmp_path / "mounts", tmp_path / "bpf"
    with pytest.raises(NotSupported, match=r"x\.bpf\.o is missing"):
        machine.check(bpffs, mounts, loaded)
    loaded.touch()
    mounts.write_text(f"proc /proc proc rw 0 0\nx {bpffs} tmpfs rw 0 0\n")
    with pytest.raises(NotSupported, match="mount -t bpf"):
        machine.check(bpffs, mounts, loaded)
    mounts.write_text(f"bpf {bpffs} bpf rw 0 0\n")
    machine.check(bpffs, mounts, loaded)


def test_programs_can_be_turned_off(tmp_path: Path) -> None:
    setting = tmp_path / "ftrace_enabled"
    assert machine.calls_programs(setting)
    setting.write_text("1\n")
    assert machine.calls_programs(setting)
    setting.write_text("0\n")
    assert not machine.calls_programs(setting)
