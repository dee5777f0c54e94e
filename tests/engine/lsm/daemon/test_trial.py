from __future__ import annotations

import pytest

from sekisho.engine.lsm.daemon.trial import Trial
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_profile
from sekisho.store.defaults import profiles


@pytest.fixture
def policy() -> Policy:
    policy = Policy()
    parse_profile(profiles(), policy)
    for number in range(4):
        ensure_domain(policy, f"<kernel> /{number}").profile = number
    ensure_domain(policy, "<kernel> /undefined").profile = 9
    return policy


def held(policy: Policy) -> list[int]:
    return [policy.domains[f"<kernel> /{number}"].profile for number in range(4)]


def test_what_nobody_confirms_is_as_it_was(policy: Policy) -> None:
    clock = [0.0]
    trial = Trial(policy, lambda: clock[0])
    before = policy.domains["<kernel> /1"].generation

    assert 2 == trial.begin(60)
    assert [0, 3, 3, 3] == held(policy)
    assert before < policy.domains["<kernel> /1"].generation
    clock[0] = 59
    assert not trial.look()
    clock[0] = 60
    assert trial.look()
    assert [0, 1, 2, 3] == held(policy)
    assert not trial.look()
    assert not trial.confirm()


def test_what_is_confirmed_stays(policy: Policy) -> None:
    trial = Trial(policy, lambda: 0.0)
    trial.begin(1)

    assert trial.confirm()
    trial.now = lambda: 100.0
    assert not trial.look()
    assert [0, 3, 3, 3] == held(policy)


def test_a_second_trial_doesnt_forget_the_first(policy: Policy) -> None:
    clock = [0.0]
    trial = Trial(policy, lambda: clock[0])
    trial.begin(60)
    trial.begin(60)
    clock[0] = 61
    trial.look()

    assert [0, 1, 2, 3] == held(policy)
