from __future__ import annotations

import pytest
from tests.interface.stage import STRANGER, Stage, read, write

from sekisho.interface.authority import ProcessState


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    domain = stage.put(20, "<kernel> /bin/x")
    domain.profile = 3
    stage.states = [ProcessState(20, 1, domain, execute_handler=True)]
    return stage


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("20", "20 3 <kernel> /bin/x"),
        ("global-pid 20", "20 3 <kernel> /bin/x"),
        ("  20 ", "20 3 <kernel> /bin/x"),
        ("11", "11 0 <kernel>"),
        ("99", ""),
        ("", ""),
        ("x", ""),
        ("20 x", ""),
        ("-1", ""),
        ("9" * 5000, ""),
        ("info 20", "20 manager=no execute_handler=yes "),
        ("info 10", "10 manager=yes execute_handler=no "),
        ("info 99", ""),
    ],
)
def test_anybody_is_answered(stage: Stage, line: str, answer: str) -> None:
    handle = stage.open(".process_status")
    write(handle, f"{line}\n", STRANGER)

    assert answer == read(handle, STRANGER)
    assert read(handle, STRANGER) == ""


def test_each_line_is_answered_once(stage: Stage) -> None:
    handle = stage.open(".process_status")
    assert read(handle) == ""
    for _ in range(3):
        write(handle, "20\n")
        assert read(handle, size=2) == "20 3 <kernel> /bin/x"

    write(handle, "20\nreset\n")
    assert read(handle) == ""
