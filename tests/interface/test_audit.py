from __future__ import annotations

import pytest
from tests.interface.stage import MANAGER, Stage, record

from sekisho.audit.text import format_text


def test_each_read_gives_a_record_and_a_nul() -> None:
    stage = Stage()
    stage.audit.put("file read /a")
    stage.audit.put("file read /b")
    handle = stage.open("audit", writable=False)
    first, second = (format_text(record(f"file read /{name}")).encode() + b"\0" for name in "ab")

    assert handle.ready()
    assert first == handle.read(MANAGER, 4096)
    assert second[:10] == handle.read(MANAGER, 10)
    assert handle.ready()
    stage.audit.put("file read /c")
    assert second[10:] == handle.read(MANAGER, 4096)
    handle.read(MANAGER, 4096)
    assert handle.read(MANAGER, 4096) == b""
    assert not handle.ready()


def test_two_readers_share_the_records() -> None:
    stage = Stage()
    stage.audit.put("file read /a")
    first, second = stage.open("audit"), stage.open("audit")

    assert first.read(MANAGER, 4096)
    assert not second.read(MANAGER, 4096)


def test_reading_nothing_takes_nothing() -> None:
    stage = Stage()
    stage.audit.put("file read /a")

    assert stage.open("audit").read(MANAGER, 0) == b""
    assert len(stage.audit) == 1


def test_nobody_writes_to_it() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        Stage().open("audit").write(MANAGER, b"reset\n")
