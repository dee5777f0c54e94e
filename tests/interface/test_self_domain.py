from __future__ import annotations

import pytest
from tests.interface.stage import STRANGER, Stage, read, write

from sekisho.interface.access import Caller


def test_each_reader_reads_its_own() -> None:
    stage = Stage()
    stage.put(20, "<kernel> /bin/x")
    handle = stage.open("self_domain")

    assert handle.read(STRANGER, 3) == b"<ke"
    assert handle.read(STRANGER, 100) == b"rnel>"
    assert handle.read(STRANGER, 100) == b""
    assert read(stage.open("self_domain"), Caller(20, 1)) == "<kernel> /bin/x"
    assert read(stage.open("self_domain"), Caller(99, 1)) == ""


@pytest.mark.parametrize("text", ["<kernel> /bin/x", "<kernel> /bin/x\n", "  <kernel>\t/bin/x \n"])
def test_whoever_writes_a_domain_moves_there(text: str) -> None:
    stage = Stage().holds("<kernel> /bin/x\n")
    write(stage.open("self_domain"), text, STRANGER)

    assert stage.moves == [(11, "<kernel> /bin/x")]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "Cannot allocate memory"),
        (b"<kernel> /" + b"x" * 4076, "Cannot allocate memory"),
        (b"\n", "Invalid argument"),
        (b"/bin/x", "Invalid argument"),
        (b"<kernel> bin", "Invalid argument"),
        (b"<kernel> /a\n<kernel> /b", "Invalid argument"),
        (b"\xff\x00", "Invalid argument"),
        (b"<kernel> /" + b"x" * 4075, "No such file"),
        (b"<kernel> /a\n/none", "No such file"),
    ],
)
def test_what_can_not_be(data: bytes, error: str) -> None:
    stage = Stage()
    with pytest.raises(OSError, match=error):
        stage.open("self_domain").write(STRANGER, data)

    assert stage.moves == []
