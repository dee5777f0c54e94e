from __future__ import annotations

import pytest
from tests.interface.stage import MANAGER, Stage, read

from sekisho.interface.authority import ProcessState


def test_a_line_for_each_process() -> None:
    stage = Stage()
    domain = stage.put(20, "<kernel> /bin/x /bin/y")
    domain.profile = 3
    stage.states = [
        ProcessState(20, 1, stage.kernel), ProcessState(21, 20, domain, True), ProcessState(22, 21, domain, False, 5),
        ProcessState(23, 21, domain, True, 0),
    ]  # fmt: skip

    assert read(stage.open(".tree"), size=11).splitlines() == [
        "20 1 0 disabled - <kernel>",
        "21 20 3 enforcing handler <kernel> /bin/x /bin/y",
        "22 21 3 enforcing Q5 <kernel> /bin/x /bin/y",
        "23 21 3 enforcing handler,Q0 <kernel> /bin/x /bin/y",
    ]


def test_nobody_writes_to_it() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        Stage().open(".tree").write(MANAGER, b"20\n")
