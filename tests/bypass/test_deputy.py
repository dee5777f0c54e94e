"""What the supervisor does in a caller's place it does where the caller stands, not where it stands itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.bypass.arena import arena, names
from tests.bypass.policies import deputising

pytestmark = [pytest.mark.root, pytest.mark.needs("gcc")]

_NAMES = names("deputy.c")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What every try came to under supervision."""
    with arena(tmp_path_factory.mktemp("deputy"), "deputy.c") as held:
        deputising(held)
        yield held.under(tries=3000)


@pytest.mark.parametrize("name", _NAMES)
def test_own_view(outcomes: dict[str, str], name: str) -> None:
    """The program got what the name means to it, or nothing."""
    assert outcomes[name] == "failed", outcomes["stderr"]
