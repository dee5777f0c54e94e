from __future__ import annotations

from pathlib import Path

from tests.engine.lsm.guest_transitions import MOVES, PLACES, PLAIN, VARIABLES
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import built, run

OUTSIDE = {f"{place} | {name}" for place in PLACES for name in (*PLAIN, "link", "links", "script", "opened", "through")}
OUTSIDE |= {f"variable | {each}" for each in VARIABLES}


@built
@on_each("6.18")
def test_programs_end_up_where_the_core_says(kernel: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_transitions", tmp_path)

    planned = {where: told[where] for where in OUTSIDE}
    assert {where: outcome for where, outcome in planned.items() if len(set(outcome.split(" = "))) > 1} == {}
    # The table has all kinds of outcome.
    assert {"EPERM", "ENOMEM"} < {outcome.split(" = ")[0] for outcome in planned.values()}
    # No program runs in place of its handler, nor one that a domain it moves to has.
    assert "EPERM = EPERM" == told["<kernel> /handled | child"] == told["<kernel> /handled | plain"]
    assert "<kernel> /unhandled /tmp/programs/child" in told["<kernel> /unhandled | child"]
    assert ("EPERM", "file execute /tmp/programs/child") == (told["leaves | child"], told["told"])
    assert MOVED == {move: told[move] for move in MOVES}


# What came of reading the file, then of reading "plain", and where the process's first thread is.
MOVED = {
    "standing | plain": "ok ok <kernel> /elsewhere",
    "standing | child": "EPERM ok <kernel> /elsewhere",
    "standing | plain in a thread": "ok ok <kernel> /elsewhere",
    "conditional | plain": "ok ok <kernel> /conditional",
    "granting | plain": "ok ok <kernel> /elsewhere",
    "granting | child": "ok EPERM <kernel> /granting /below",
    "granting | far": "killed nowhere",
    "granting | stay": "EPERM ok <kernel> /elsewhere",
}
