"""Many processes that ask for much: nothing of the supervisor's grows with time, and nobody waits for ever.

Some seconds of it; ``make load`` is a thousand processes for ten minutes, or for SECONDS.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from tests.engine.supervisor import load

pytestmark = [pytest.mark.slow, pytest.mark.needs("gcc")]


def test_nothing_grows_and_nobody_starves() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = load.load(Path(folder).resolve(), 60, 8, 0.2)
    told = load.report(run)

    assert (0, 0, 0) == (run.status, run.board.wrong, run.left), told
    assert {1} == {sample.threads for sample in run.samples}, told
    before, during, after = (run.of(stage) for stage in range(3))
    assert max(sample.descriptors for sample in during) > 60, told
    # The last to end may not have been taken note of when the crowd counts as gone.
    assert after[-1].descriptors <= before[-1].descriptors + 5, told
    assert after[-1].resident < before[-1].resident + 5, told
    assert run.board.executed, told
    # Everybody has his turn, beside a flood of 32 threads.
    assert min(run.board.served[:60]) > 0, told
    assert run.board.verdicts["quiet"].calls > 0, told
