"""Every way around a supervisor that takes one try: first it works, then it doesn't."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bypass.arena import Arena, arena, names
from tests.bypass.policies import hearing, other_means
from tests.nobody import BECOME, NOBODY, python_for_all, sources_for_all

pytestmark = [pytest.mark.root, pytest.mark.needs("gcc")]

_NAMES = [*names("attacks.c"), *names("others.c"), *names("hearing.c")]
_MAY_BE_IMPOSSIBLE = {
    "x32",
    "io_uring",
    "by_handle",
    "fanotify",
    "faults_handled_by_user",
    "port_io",
    "forged_executable",
    "forged_arguments",
    "other_binary_format",
    "vsock",
    "smc",
    "rds",
    "sctp",
    "sctp_one_to_many",
    "queue_opened",
    "dumped",
    "attributes_set",
    "other_end",
    "typed",
    "pages_moved",
    "scheduled_together",
    "starved_of_input",
}
"""What a kernel may be built, or told, not to offer to anybody."""
Outcomes = tuple[dict[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """All attacks without and with supervision, each in an arena of its own."""
    without: dict[str, str] = {}
    for native in _arenas(tmp_path_factory.mktemp("without")):
        without |= native.without()
    yield without, _under(_arenas(tmp_path_factory.mktemp("under")))


def _arenas(folder: Path) -> Iterator[Arena]:
    """An arena for each attacking program, one after the other."""
    for source, prepare in (("attacks.c", None), ("others.c", other_means), ("hearing.c", hearing)):
        (folder / source).mkdir(mode=0o755)
        with arena(folder / source, source) as made:
            if prepare:
                prepare(made)
            yield made


def _under(arenas: Iterator[Arena]) -> dict[str, str]:
    found: dict[str, str] = {"stderr": ""}
    for held in arenas:
        outcomes = held.under()
        found |= outcomes | {"stderr": found["stderr"] + outcomes["stderr"]}
    return found


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(outcomes: Outcomes, name: str) -> None:
    """An attack that succeeds where nobody watches fails in enforcing mode."""
    without, under = outcomes

    assert without[name] == "succeeded" or (name in _MAY_BE_IMPOSSIBLE and without[name] in ("impossible", "failed"))
    assert under.get(name) in ("failed", "killed", "impossible"), under["stderr"]


@pytest.fixture(scope="module")
def unprivileged() -> Iterator[dict[str, str]]:
    """All attacks where neither the supervisor nor the program has any privilege, but the same user id."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield _under(_unprivileged(Path(folder)))


def _unprivileged(folder: Path) -> Iterator[Arena]:
    sources = sources_for_all(folder)
    for held in _arenas(folder):
        for path in (held.folder, *held.folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        held.policy.before, held.policy.python, held.policy.sources = BECOME, python_for_all(), sources
        yield held


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize("name", _NAMES)
def test_stopped_by_an_unprivileged_supervisor(unprivileged: dict[str, str], name: str) -> None:
    """The same attacks fail against a supervisor of the attacker's own user id."""
    assert unprivileged.get(name) in ("failed", "killed", "impossible"), unprivileged["stderr"]


REACHING = "ipc ptrace/read_memory/write_memory/get_descriptor <kernel>"
"""Lets it reach into anybody; the tree isn't shut off by Landlock, then."""


@pytest.fixture(scope="module")
def unscoped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """All attacks where policy lets the program reach into anybody and the kernel's Landlock doesn't help."""
    yield _under(_reaching(tmp_path_factory.mktemp("unscoped")))


def _reaching(folder: Path) -> Iterator[Arena]:
    for held in _arenas(folder):
        held.allow(REACHING)
        yield held


@pytest.mark.parametrize("name", _NAMES)
def test_stopped_without_landlock(unscoped: dict[str, str], name: str) -> None:
    """The supervisor is out of reach whatever policy says, by the guards alone."""
    assert unscoped.get(name) in ("failed", "killed", "impossible"), unscoped["stderr"]


def test_nothing_forbidden_happened(tmp_path: Path) -> None:
    """After all of them forbidden/ and the policy are what they were."""
    for held in _arenas(tmp_path):
        before = _contents(held.folder / "forbidden"), held.policy.entries()

        held.under()

        assert before == (_contents(held.folder / "forbidden"), held.policy.entries())


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
