from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.engine.lsm.daemon.canary import is_refused


def test_what_may_be_read_isnt_refused() -> None:
    seen: list[int] = []

    assert not is_refused(seen.append)
    assert 1 == len(seen)
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)


def test_what_is_gone_isnt_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()

    assert not is_refused(lambda pid: path.unlink(), str(path))
