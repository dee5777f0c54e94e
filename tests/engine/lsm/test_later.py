"""What the kernel does later than it was asked for: signals of files that are ready, connections that were refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.lsm.guest_later import CHOOSING, FREE, HELD, TAKING, WAYS
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import WITHOUT_BPF, built, run
from tests.vm.machine import PLAIN


@built
@pytest.mark.parametrize("lsm", [PLAIN, pytest.param(WITHOUT_BPF, marks=pytest.mark.every)])
@on_each("6.12")
def test_what_comes_later_is_asked_for_as_well(kernel: str, lsm: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_later", tmp_path, lsm)

    assert {name: told.pop(f"{FREE} {name}") for name in WAYS} == dict.fromkeys(WAYS, "signal 9")
    assert {name: told.pop(f"{HELD} {name}") for name in WAYS} == dict.fromkeys(WAYS, "spared")
    assert [told.pop(f"{FREE} chooses {name}") for name in CHOOSING] == ["signal 9", "signal 29"]
    assert [told.pop(f"{HELD} chooses {name}") for name in CHOOSING] == ["spared"] * 2
    for family in ("tcp", "unix"):
        ways = {way for way in TAKING if family == "tcp" or way != "without copying"}
        assert {way: told.pop(f"{FREE} {family} {way}") for way in ways} == dict.fromkeys(ways, "ok")
        assert {way: told.pop(f"{HELD} {family} {way}") for way in ways} == dict.fromkeys(ways, "EPERM")
    assert told == {
        "granted": "signal 10",
        "granted, or SIGIO": "spared",
        "default": "spared",
        "itself": "signal 12",
        "learns": "signal 12",
        "learned": "ipc signal 12 <kernel> /other",
        "before a flood": "spared",
        "before a flood, free": "signal 9",
        "friend": "ok",
    }
