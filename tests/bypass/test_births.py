"""Whoever is born between a look and what follows from it is in the domain that it was born in, and out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bypass.arena import Arena, arena, names
from tests.bypass.policies import ALONE, breeding

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("gcc"), pytest.mark.needs("unshare")]

_NAMES = names("births.c")


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path, "births.c") as made:
        breeding(made)
        made.before = made.policy.before = ALONE
        yield made


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(held: Arena, name: str) -> None:
    """It can be done where nobody watches, and not in enforcing mode."""
    assert held.without(name, tries=200) == {name: "succeeded"}

    under = held.under(name, tries=200)

    assert under.get(name) in ("failed", "killed"), under["stderr"][-2000:]
