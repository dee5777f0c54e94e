from __future__ import annotations

import pytest
from tests.interface.stage import MANAGER, STRANGER, Stage, read


def test_the_version_is_read_once_and_without_a_newline() -> None:
    handle = Stage().open("version")

    assert read(handle, STRANGER, size=2) == "2.6.0"
    assert read(handle, STRANGER) == ""


def test_nobody_writes_to_it() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        Stage().open("version").write(MANAGER, b"2.7.0")
