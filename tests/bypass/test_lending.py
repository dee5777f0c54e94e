"""A supervisor with every right doesn't lend them: what the kernel refuses a caller it goes on refusing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bypass.arena import arena, names
from tests.bypass.policies import lending

pytestmark = [pytest.mark.root, pytest.mark.needs("gcc")]

_NAMES = names("lending.c")
_MAY_BE_IMPOSSIBLE = {
    "listed",
    "immutable",
    "device_made",
    "private_queue",
    "beyond_queue_limit",
    "by_root_of_a_namespace",
}
"""What a kernel, a file system or a container may not offer to anybody."""


@pytest.fixture(scope="module")
def outcomes() -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """What comes of all without and with supervision; nobody may enter where tests usually leave their files."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("without", "under"):
            (Path(folder) / name).mkdir(mode=0o755)
        with arena(Path(folder) / "without", "lending.c") as native:
            lending(native)
            without = native.without()
        with arena(Path(folder) / "under", "lending.c") as held:
            lending(held)
            under = held.under()
            yield without, under | {"refused": "\n".join(held.policy.rejected())}


@pytest.mark.parametrize("name", _NAMES)
def test_refused_as_without_a_supervisor(outcomes: tuple[dict[str, str], dict[str, str]], name: str) -> None:
    """With its rights the program gets what it asks for, without them it doesn't, natively and in enforcing mode."""
    without, under = outcomes

    assert without[name] == "failed" or (name in _MAY_BE_IMPOSSIBLE and without[name] == "impossible")
    assert under[name] == without[name], under["stderr"]


def test_policy_had_nothing_against_it(outcomes: tuple[dict[str, str], dict[str, str]]) -> None:
    """Whatever was refused was refused for lack of rights."""
    assert outcomes[1]["refused"] == ""
