"""Ways around that are a matter of time: what was checked, and what is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bypass.arena import Arena, arena, names
from tests.bypass.policies import racing, victims

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("gcc")]

_NAMES = names("races.c")
_TRIES, _LONG = 20000, 1_000_000
_WITHOUT = 200000


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path, "races.c") as made:
        racing(made)
        yield made


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(held: Arena, name: str, request: pytest.FixtureRequest) -> None:
    """A race that is won where nobody watches is lost in enforcing mode."""
    tries, seconds = (_LONG, 3600) if request.config.getoption("--long") else (_TRIES, 280)
    with victims(held):
        assert held.without(name, tries=_WITHOUT) == {name: "succeeded"}

    with victims(held):
        under = held.under(name, tries=tries, timeout=seconds)

    assert under.get(name) in ("failed", "killed"), under["stderr"][-2000:]
