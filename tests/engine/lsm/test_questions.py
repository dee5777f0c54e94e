"""Who is refused something waits for the administrator: in a kernel of its own, with a daemon that is killed at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.lsm.guest_questions import CLIENT, MOVES
from tests.engine.lsm.guest_system import OTHER
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import built, run


@built
@on_each("6.12")
@pytest.mark.slow
def test_programs_wait_for_the_administrator_and_never_for_nobody(kernel: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_questions", tmp_path)

    assert ("0", "read", "0", "0") == tuple(told[each] for each in ("start", "learning", "writing", "reload"))
    assert "{}" == told["missing"]
    # Policy would let it; but what it could do there is for managers.
    assert ("0", "refused") == (told["learning to connect"], told["connecting"])
    # Only where an entry lets it; and it is held to what that domain may, which is nothing.
    assert ("Operation not permitted", str(len(MOVES))) == (told[f"moves to {CLIENT}"], told[f"moves to {MOVES}"])
    assert MOVES == told["has moved"]
    assert "Operation not permitted" in told["is held there"]
    assert (f"file read {OTHER}", "True", "[True]") == (told["asked"], told["waits"], told["shown"])
    assert "True" == told["let go by others"]
    assert told["allowed"].startswith("0")
    assert told["allowed once"].startswith("refused file read")
    assert ("-9", "True") == (told["killed while it waits"], told["forgotten"])
    # What was allowed of a call stays allowed until all that it asks for is.
    assert told["several at once"].startswith("0 file create /tmp/two 0666; file write /tmp/two")
    assert "True" == told["written"]
    assert ("0", "0") == (told["made policy"], told["without a question"])
    assert ("refused", "refused") == (told["nobody left"], told["nobody there"])
    assert ("True", "refused", "refused") == tuple(
        told[each] for each in ("waits for the daemon", "daemon killed", "without a daemon")
    )
    assert ("refused", "True", "refused") == (told["after a penalty"], told["slept"], told["who slept"])
    assert "sleeper" not in told
    assert ("True", "0", "refused") == tuple(
        told[each] for each in ("both killed", "another", "let go by the next start")
    )
    assert ("0", "True", "read", "0") == tuple(told[each] for each in ("again", "ps", "disabled", "stop"))
    assert told["mode"].startswith("<kernel> /tmp/programs/cat: profile 0 (disabled)")
