from __future__ import annotations

from pathlib import Path

from tests.engine.lsm.guest_transitions import PLACES, PLAIN, VARIABLES
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import built, run

OUTSIDE = {f"{place} | {name}" for place in PLACES for name in (*PLAIN, "link", "links", "script", "opened", "through")}
OUTSIDE |= {f"variable | {each}" for each in VARIABLES}


@built
@on_each("6.18")
def test_programs_end_up_where_the_core_says(kernel: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_transitions", tmp_path)

    assert set(told) == OUTSIDE
    assert {where: outcome for where, outcome in told.items() if len(set(outcome.split(" = "))) > 1} == {}
    # The table has all kinds of outcome.
    assert {"EPERM", "ENOMEM"} < {outcome.split(" = ")[0] for outcome in told.values()}
