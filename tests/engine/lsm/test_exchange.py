from __future__ import annotations

from pathlib import Path

from tests.engine.lsm.test_protection import built, on_each, run


@built
@on_each
def test_an_exchange_needs_both_renames(kernel: str, tmp_path: Path) -> None:
    assert run(kernel, "guest_exchange", tmp_path) == {
        "nothing": "EPERM",
        "there": "EPERM",
        "back": "EPERM",
        "both": "ok",
        "a pattern": "ok",
    }
