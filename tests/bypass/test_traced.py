"""Who traces a program goes on doing so when that becomes another one only where policy says so."""

from __future__ import annotations

import pytest
from tests.bypass.arena import arena, names
from tests.bypass.policies import tracing

pytestmark = [pytest.mark.root, pytest.mark.needs("gcc")]

_NAMES = names("traced.c")
Outcomes = tuple[dict[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What all of them come to without and with supervision."""
    with arena(tmp_path_factory.mktemp("without"), "traced.c") as native:
        tracing(native)
        without = native.without()
    with arena(tmp_path_factory.mktemp("under"), "traced.c") as held:
        tracing(held)
        return without, held.under()


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(outcomes: Outcomes, name: str) -> None:
    without, under = outcomes

    assert without[name] == "succeeded"
    assert under.get(name) in ("failed", "killed"), under["stderr"]
