"""What a call names is swapped while it is looked at: paths, addresses, folders, links, open files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bypass.arena import arena, names
from tests.bypass.policies import swapping

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("gcc")]

_NAMES = names("swaps.c")
_TRIES, _LONG = 1000, 1_000_000
_WITHOUT = 200_000


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(tmp_path: Path, name: str, request: pytest.FixtureRequest) -> None:
    """Where nobody watches every call hits what it must not; in enforcing mode none does, however often it is tried."""
    (tmp_path / "native").mkdir()
    with arena(tmp_path / "native", "swaps.c") as free, swapping(free):
        assert free.without(name, tries=_WITHOUT) == {name: "succeeded"}
    (tmp_path / "held").mkdir()
    long = request.config.getoption("--long")
    with arena(tmp_path / "held", "swaps.c") as held, swapping(held):
        under = held.under(name, tries=_LONG if long else _TRIES, timeout=3600 if long else 120)

    assert under.get(name) == "failed", under["stderr"][-2000:]
