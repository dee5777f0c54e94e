from __future__ import annotations

import pytest

from sekisho.decide.decision import Decision
from sekisho.policy.model import Mode


@pytest.mark.parametrize(
    ("granted", "mode", "allowed"),
    [(True, mode, True) for mode in Mode]
    + [(False, Mode.DISABLED, True), (False, Mode.LEARNING, True), (False, Mode.PERMISSIVE, True)]
    + [(False, Mode.ENFORCING, False)],
)
def test_only_enforcing_refuses(granted: bool, mode: Mode, allowed: bool) -> None:
    assert Decision(granted, mode, None, None, False, False, True).allowed is allowed
