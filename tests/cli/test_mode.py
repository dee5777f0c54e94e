from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Sekisho
from tests.cli.running import CAT, SHELL, running
from tests.engine.supervisor.supervised import Supervised, domain

from sekisho.cli.mode import profile_of
from sekisho.errors import UserError
from sekisho.policy.model import Namespace, Policy
from sekisho.policy.parser import parse_profile
from sekisho.store.directory import PolicyDirectory

REFUSED = "Operation not permitted"
CHAIN = domain(SHELL, CAT)


@pytest.fixture
def supervised(tmp_path: Path) -> Supervised:
    """A shell and its cat, which may show one of two files."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"{name}\n")
    made = Supervised(tmp_path / "policy")
    with running(made, "learn") as tree:
        assert ("one\n", 0) == tree.show(tmp_path / "one")
    return made


def _profiles(supervised: Supervised) -> dict[str, int]:
    policy = PolicyDirectory(supervised.path).load()
    return {name: domain.profile for name, domain in policy.domains.items()}


def test_it_holds_at_once_and_is_saved(supervised: Supervised, sekisho: Sekisho, tmp_path: Path) -> None:
    with running(supervised, "learn") as tree:
        done = sekisho("mode", "-P", supervised.path, CAT.replace("/bin", "/usr/bin"), "enforcing")
        assert (0, f"{CHAIN}: profile 3 (enforcing)\n") == (done.status, done.out)
        text, status = tree.show(tmp_path / "two")
        assert REFUSED in text
        assert 0 != status
        assert ("one\n", 0) == tree.show(tmp_path / "one")

        sekisho("mode", "-P", supervised.path, CHAIN, "1")
        assert ("two\n", 0) == tree.show(tmp_path / "two")
        sekisho("mode", "-P", supervised.path, CHAIN, "3")
        assert ("two\n", 0) == tree.show(tmp_path / "two")

    assert {"<kernel>": 0, domain(SHELL): 1, CHAIN: 3} == _profiles(supervised)


def test_a_tree_that_is_held_to_one_mode_obeys_as_well(
    supervised: Supervised, sekisho: Sekisho, tmp_path: Path
) -> None:
    with running(supervised, "run") as tree:
        assert REFUSED in tree.show(tmp_path / "two")[0]
        assert 0 == sekisho("mode", "-P", supervised.path, CHAIN, "permissive").status
        assert ("two\n", 0) == tree.show(tmp_path / "two")


def test_all_below(supervised: Supervised, sekisho: Sekisho) -> None:
    with running(supervised, "learn") as tree:
        done = sekisho("mode", "-P", supervised.path, "--below", domain(SHELL), "disabled")
        assert [f"{name}: profile 0 (disabled)" for name in (domain(SHELL), CHAIN)] == done.out.splitlines()
        assert tree.show("/dev/null") == ("", 0)

    assert {0} == set(_profiles(supervised).values())


def test_every_tree_of_the_directory(supervised: Supervised, sekisho: Sekisho, tmp_path: Path) -> None:
    with running(supervised, "learn") as first, running(supervised, "learn") as second:
        sekisho("mode", "-P", supervised.path, CHAIN, "enforcing")
        assert REFUSED in first.show(tmp_path / "two")[0]
        assert REFUSED in second.show(tmp_path / "two")[0]


def test_where_nothing_runs_the_directory_is_changed(supervised: Supervised, sekisho: Sekisho) -> None:
    done = sekisho("mode", "-P", supervised.path, CHAIN, "permissive")

    assert (0, f"{CHAIN}: profile 2 (permissive)\n") == (done.status, done.out)
    assert 2 == _profiles(supervised)[CHAIN]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("/nowhere", "enforcing"), "there is no domain /nowhere"),
        (("<kernel>", "strict"), "no mode 'strict'"),
        (("<kernel>", "9"), "has no profile 9"),
        (("--tree", "1", "<kernel>", "1"), "no tree with the supervisor 1"),
    ],
)
def test_what_there_is_none_of(supervised: Supervised, sekisho: Sekisho, words: tuple[str, ...], told: str) -> None:
    before = _profiles(supervised)
    done = sekisho("mode", "-P", supervised.path, *words)

    assert (2, "") == (done.status, done.out)
    assert told in done.err
    assert before == _profiles(supervised)


@pytest.fixture
def namespace() -> Namespace:
    policy = Policy()
    parse_profile("5-CONFIG={ mode=enforcing }\n4-CONFIG={ mode=enforcing }\n7-COMMENT=none\n", policy)
    return policy.namespaces["<kernel>"]


@pytest.mark.parametrize(("mode", "number"), [("enforcing", 4), ("5", 5), ("7", 7), ("disabled", 7)])
def test_a_mode_means_the_first_profile_that_has_it(namespace: Namespace, mode: str, number: int) -> None:
    assert number == profile_of(namespace, mode)


@pytest.mark.parametrize("mode", ["learning", "0", "256", "1" * 5000, "٣", ""])
def test_no_such_profile(namespace: Namespace, mode: str) -> None:
    with pytest.raises(UserError):
        profile_of(namespace, mode)
