"""Nobody of a tree answers questions or changes policy through a control socket, be it its own tree's or another's."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.bypass.arena import Arena, arena, names
from tests.bypass.policies import controlling
from tests.engine.supervisor.supervised import Supervised
from tests.nobody import BECOME, NOBODY, python_for_all, sources_for_all

pytestmark = [pytest.mark.root, pytest.mark.needs("gcc")]

_NAMES = names("control.c")
_NEEDS_POLICY = ("own_hard_linked", "own_renamed", "own_replaced", "own_removed")
"""What any program can that may write to the policy directory."""
_DEAD = "own_from_a_dead_process"
"""That is refused whoever it was."""
_PROFILES = "PROFILE_VERSION=20150505\n" + "".join(
    f"{number}-COMMENT=x\n{number}-PREFERENCE={{ max_audit_log=1024 max_learning_entry=2048 }}\n"
    f"{number}-CONFIG={{ mode={mode} grant_log=no reject_log=yes }}\n"
    for number, mode in ((0, "disabled"), (3, "enforcing"), (5, "disabled"))
)
_FILES_ONLY = "5-CONFIG::file={ mode=enforcing grant_log=no reject_log=yes }\n"


@contextmanager
def _tree(policy: Supervised) -> Iterator[None]:
    """A tree runs on ``policy`` and can be reached."""
    running = subprocess.Popen(
        policy.arguments("run", "/bin/sleep", "600", mode="disabled"),
        env=policy.environment(policy.sources),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 30
        while not list(policy.path.glob("control-*.sock")):
            assert time.monotonic() < end
            time.sleep(0.05)
        yield
    finally:
        running.terminate()
        running.wait(30)


@contextmanager
def _place(folder: Path, profile: int, *, nobody: bool = False) -> Iterator[tuple[Arena, Supervised]]:
    """An arena and the policy of another tree beside it; the attacker has ``profile``."""
    with arena(folder, "control.c") as held:
        other = Supervised(held.folder / "other")
        controlling(held)
        text = (held.policy.path / "domain_policy.conf").read_text()
        (held.policy.path / "domain_policy.conf").write_text(text.replace("use_profile 3", f"use_profile {profile}"))
        for policy in (held.policy, other):
            (policy.path / "profile.conf").write_text(_PROFILES + _FILES_ONLY)
        other.write({"<kernel> /bin/sleep": set(), "<kernel> /usr/bin/sleep": set()})
        if nobody:
            for path in (held.folder, *held.folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            for policy in (held.policy, other):
                policy.before, policy.python = BECOME, python_for_all()
            held.policy.sources = other.sources = sources_for_all(folder)
        yield held, other


def _under(folder: Path, profile: int, *, nobody: bool = False, mode: str | None = None) -> dict[str, str]:
    with _place(folder, profile, nobody=nobody) as (held, other), _tree(other):
        return held.under(mode=mode)


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the attacks come to for a program that nobody holds."""
    with _place(tmp_path_factory.mktemp("without"), 3) as (held, other), _tree(other):
        (held.policy.path / "domain_policy.conf").write_text(
            (other.path / "domain_policy.conf").read_text(),
        )
        with _tree(held.policy):
            return held.without()


@pytest.fixture(scope="module", params=["root", "nobody"])
def enforced(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """In enforcing mode: the supervisor connects in the program's place."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield _under(Path(folder), 3, nobody=request.param == "nobody")


@pytest.fixture(scope="module", params=[(3, "permissive"), (5, None)], ids=["permissive", "files only"])
def unheld(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the program connects by itself."""
    return _under(tmp_path_factory.mktemp("unheld"), request.param[0], mode=request.param[1])


@pytest.mark.parametrize("name", [name for name in _NAMES if name != _DEAD])
def test_nobody_stops_it_outside(without: dict[str, str], name: str) -> None:
    """The attack works for a program of the same user outside the tree."""
    assert without[name] == "succeeded"


@pytest.mark.parametrize("name", _NAMES)
def test_stopped(enforced: dict[str, str], name: str) -> None:
    """In enforcing mode it doesn't."""
    assert enforced.get(name) == "failed", enforced["stderr"]


@pytest.mark.parametrize("name", [name for name in _NAMES if name not in _NEEDS_POLICY])
def test_stopped_where_connecting_is_not_held(unheld: dict[str, str], name: str) -> None:
    """Nor where the program connects by itself: the tree knows its own, and other trees'."""
    assert unheld.get(name) == "failed", unheld["stderr"]
