"""No signal comes to a program of another domain than policy names, by whatever means it was asked for before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bypass.arena import Arena, arena, names
from tests.bypass.policies import signalling
from tests.nobody import BECOME, NOBODY, python_for_all, sources_for_all

pytestmark = [pytest.mark.root, pytest.mark.needs("gcc")]

_RACES = [name for name in names("signals.c") if name.endswith("_while_it_becomes")]
_NAMES = [name for name in names("signals.c") if name not in _RACES]
_MAY_BE_IMPOSSIBLE = {
    "owner_by_lease",
    "owner_by_notice",
    "owner_of_a_terminal",
    "owner_of_a_terminal_by_ioctl",
    "owner_by_foreground_group",
    "own_group_without_a_descriptor",
}
"""What a kernel may be built, or told, not to offer to anybody."""
_TRIES, _LONG = 300, 6000


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Arena]:
    with arena(tmp_path, "signals.c") as made:
        signalling(made)
        yield made


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What all of them come to where nobody watches."""
    with arena(tmp_path_factory.mktemp("without"), "signals.c") as made:
        signalling(made)
        return made.without(*_NAMES)


@pytest.fixture(scope="module")
def under(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """And in enforcing mode."""
    with arena(tmp_path_factory.mktemp("under"), "signals.c") as made:
        signalling(made)
        return made.under(*_NAMES)


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(without: dict[str, str], under: dict[str, str], name: str) -> None:
    assert without[name] == "succeeded" or (name in _MAY_BE_IMPOSSIBLE and without[name] == "impossible")
    assert under.get(name) in ("failed", "killed", "impossible"), under["stderr"]


@pytest.fixture(scope="module")
def unprivileged() -> Iterator[dict[str, str]]:
    """The same where neither the supervisor nor the program has any privilege, but the same user id."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        sources = sources_for_all(Path(folder))
        (Path(folder) / "arena").mkdir()
        with arena(Path(folder) / "arena", "signals.c") as made:
            signalling(made)
            for path in (made.folder, *made.folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            made.policy.before, made.policy.python, made.policy.sources = BECOME, python_for_all(), sources
            yield made.under(*_NAMES)


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize("name", _NAMES)
def test_stopped_by_an_unprivileged_supervisor(unprivileged: dict[str, str], name: str) -> None:
    assert unprivileged.get(name) in ("failed", "killed", "impossible"), unprivileged["stderr"]


@pytest.mark.parametrize("name", _RACES)
def test_races_are_lost(held: Arena, name: str, request: pytest.FixtureRequest) -> None:
    """Who may be signalled when that is looked at, and not any more when it happens."""
    tries, seconds = (_LONG, 280) if request.config.getoption("--long") else (_TRIES, 100)
    assert held.without(name, tries=20) == {name: "succeeded"}

    under = held.under(name, tries=tries, timeout=seconds)

    assert under.get(name) in ("failed", "killed"), under["stderr"][-2000:]
