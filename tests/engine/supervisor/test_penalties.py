from __future__ import annotations

import pytest
from tests.engine.supervisor.stage import Recorder, Stage

from sekisho.engine.supervisor.penalties import Penalties


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("sekisho.engine.supervisor.penalties.time.monotonic", lambda: now[0])
    return now


def test_each_is_refused_when_its_time_has_come(clock: list[float]) -> None:
    listener = Recorder()
    penalties = Penalties(listener)
    assert -1 == penalties.patience()
    penalties.refuse(7, 30)
    penalties.refuse(8, 10)
    assert 1.0 == pytest.approx(penalties.patience())
    penalties.look()
    assert [] == listener.answers
    clock[0] += 1.5
    penalties.look()
    assert [-1] == listener.answers
    assert 1.5 == pytest.approx(penalties.patience())
    clock[0] += 2
    penalties.look()
    assert [-1, -1] == listener.answers
    assert -1 == penalties.patience()


def test_a_violator_sleeps_as_long_as_its_profile_says(enforcing: Stage, clock: list[float]) -> None:
    enforcing.policy.namespaces["<kernel>"].profiles[3].enforcing_penalty = 5
    assert enforcing.handle("openat", -100, "/etc/hostname", 0) is None
    enforcing.supervisor.penalties.look()
    assert [] == enforcing.listener.answers
    clock[0] += 0.6
    enforcing.supervisor.penalties.look()
    assert [-1] == enforcing.listener.answers


def test_so_does_one_that_executes(enforcing: Stage, clock: list[float]) -> None:
    enforcing.policy.namespaces["<kernel>"].profiles[3].enforcing_penalty = 5
    assert enforcing.handle("execve", "/bin/ls", 0, 0) is None
    clock[0] += 0.6
    enforcing.supervisor.penalties.look()
    assert [-1] == enforcing.listener.answers


def test_nobody_sleeps_where_the_administrator_answers(enforcing: Stage) -> None:
    enforcing.policy.namespaces["<kernel>"].profiles[3].enforcing_penalty = 5
    enforcing.supervisor.questions.observe()
    enforcing.handle("openat", -100, "/etc/hostname", 0)
    enforcing.supervisor.questions.answer(enforcing.supervisor.questions.pending()[0].serial, 2)
    assert [-1] == enforcing.listener.answers


def test_who_was_woken_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Recorder()
    penalties = Penalties(listener)
    awake = set(range(2500))
    monkeypatch.setattr(listener, "valid", lambda ident: ident not in awake)
    for ident in range(5000):
        penalties.refuse(ident, 36000)

    assert 2500 <= len(penalties) <= 5000 - 1000
