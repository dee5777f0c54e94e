from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.lsm.guest_system import ALLOWED, OTHER
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import built, run


@pytest.mark.every
@built
@on_each("6.12")
def test_the_daemon_is_the_last_to_be_ended_when_memory_runs_out(kernel: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_pressure", tmp_path)

    assert ("0", "0", "0") == (told["start"], told["again"], told["stop"])
    assert "the daemon" == told["first, as others"]
    assert "a program" == told["first"]
    for when in ("before", "without it", "after"):
        assert ("read", "refused") == (told[f"{when}, {ALLOWED}"], told[f"{when}, {OTHER}"]), (when, told)
