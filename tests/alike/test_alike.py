"""Random sequences of system calls come to the same natively and in enforcing mode where everything is allowed.

A few thousand calls here; ``make alike`` (pytest ``--long``) is half a million.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.alike.compare import Comparison

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.needs("gcc", "unshare")]
WHO = pytest.mark.parametrize("user", [False, True], ids=["by root and others", "by a user"])
_STEPS = "0-199"
_AT_ONCE = 20


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user can reach."""
    root = Path(tempfile.mkdtemp(prefix="sekisho-", suffix=".d"))
    yield root
    shutil.rmtree(root, ignore_errors=True)


@WHO
def test_random_calls_come_to_the_same(place: Path, request: pytest.FixtureRequest, user: bool) -> None:
    comparison = Comparison(place, user=user)
    count = 1300 if request.config.getoption("--long") else 6
    for first in range(0, count, _AT_ONCE):
        seeds = f"{first}-{min(first + _AT_ONCE, count) - 1}"

        assert [] == comparison.differences(seeds, _STEPS)


def test_a_difference_would_be_seen(place: Path) -> None:
    comparison = Comparison(place, user=False)
    policy = comparison.policy.path / "domain_policy.conf"
    lines = [line for line in policy.read_text().splitlines() if not line.startswith("file create")]
    policy.write_text("".join(f"{line}\n" for line in lines))

    assert comparison.differences("0", _STEPS)
