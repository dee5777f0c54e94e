"""A program can't make its supervisor, and so everybody else, wait for the end of a connection."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bypass.arena import compile_c
from tests.engine.supervisor.supervised import Supervised

pytestmark = [pytest.mark.needs("gcc")]


def test_nobody_waits_for_a_connection_that_is_left_to_the_supervisor(tmp_path: Path) -> None:
    tool = compile_c("lingering.c", tmp_path / "tool")
    supervised = Supervised(tmp_path / "policy")
    network = "network inet stream bind/listen/connect/accept 127.0.0.1 0-65535"
    supervised.write({f"<kernel> {tool}": {"misc env \\*", "file read /etc/hostname", network}})

    done = supervised.run(tool)

    assert [] == supervised.rejected()
    assert 0 == done.status, done.err
