from __future__ import annotations

from pathlib import Path

from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import built, run


@built
@on_each("6.1")
def test_an_exchange_needs_both_renames(kernel: str, tmp_path: Path) -> None:
    assert run(kernel, "guest_exchange", tmp_path) == {
        "nothing": "EPERM",
        "there": "EPERM",
        "back": "EPERM",
        "both": "ok",
        "a pattern": "ok",
    }
