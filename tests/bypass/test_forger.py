"""A program can't have a say in what its execute handler is given, nor in which program that is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bypass.arena import compile_c
from tests.engine.supervisor.supervised import Supervised

pytestmark = [pytest.mark.needs("gcc")]


@pytest.mark.parametrize("what", ["argument", "path"])
def test_what_a_handler_is_given_is_not_the_callers_to_change(tmp_path: Path, what: str) -> None:
    tool, handler = (compile_c("forger.c", tmp_path / name) for name in ("tool", "handler"))
    compile_c("prog.c", tmp_path / "handlex", "-static", "-DSTATUS=42")
    supervised = Supervised(tmp_path / "policy")
    chain, environment = f"<kernel> {tool}", {"misc env \\*"}
    supervised.write({chain: environment | {f"task auto_execute_handler {handler}"}, f"{chain} {handler}": environment})

    done = supervised.run(tool, what, "300")
    honest, killed, forged = map(int, done.out.split())

    assert "internal error" not in done.err
    assert honest > 0
    assert killed > 0, "the race was never run"
    assert forged == 0
