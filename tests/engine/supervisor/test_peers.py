"""Connections and datagrams: who waits for them and receives them notices nothing of having been asked about."""

from __future__ import annotations

import pytest
from tests.engine.supervisor.test_situations import HERE, Played, play, situations

PROGRAM = HERE / "peers.py"
SITUATIONS = situations(PROGRAM, {"failure", "raw", "in_child", "listening", "client", "later", "datagrams", "main"})


@pytest.fixture(scope="module")
def played() -> Played:
    return play(PROGRAM, SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_learning_changes_nothing(played: Played, situation: str) -> None:
    assert played["learn"].get(situation) == played["native"][situation]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_enforcing_what_was_learned_changes_nothing(played: Played, situation: str) -> None:
    assert played["run"].get(situation) == played["native"][situation], list(played["denied"])


def test_nothing_of_what_was_learned_is_denied(played: Played) -> None:
    assert list(played["denied"]) == []


def test_nothing_is_complained_of(played: Played) -> None:
    assert list(played["run said"]) == []
