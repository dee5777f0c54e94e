"""The compiled tables, walked as the kernel side does, give the answers that ``decide`` gives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from tests.engine.lsm.walk.strategies import DOMAIN, cases
from tests.engine.lsm.walk.support import agrees, publish, raw_request

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Request
from sekisho.engine.lsm.compile import names
from sekisho.engine.lsm.compile.automaton import MAX_STATES, Automaton
from sekisho.engine.lsm.compile.merging import merged
from sekisho.engine.lsm.compile.net import Net
from sekisho.engine.lsm.compile.packing import pack
from sekisho.engine.lsm.compile.subsets import machine
from sekisho.engine.lsm.walk import decide as walk
from sekisho.policy.model import Mode, Policy

EXAMPLES = 150


@settings(max_examples=EXAMPLES)
@given(cases())
def test_tables_answer_as_policy_does(case: tuple[Policy, list[Request]]) -> None:
    policy, asked = case
    published = publish(policy)
    domain = policy.domains[DOMAIN]
    for request in asked:
        decision = decide(policy, domain, request)
        if decision.mode is Mode.DISABLED and request.operation.keyword != "file execute":
            continue  # nobody asks
        raw = raw_request(published, domain, request)
        answer = walk.decide(published.tables, raw)

        assert not agrees(published, raw, answer, decision), (request, answer, decision)


def loosened(words: Sequence[str]) -> Automaton:
    """An automaton that is sure of half of the words only, as if all were too many."""
    net = Net()
    loose = frozenset(range(0, len(words), 2))
    for index, word in enumerate(words):
        (net.add_loosely if index in loose else net.add)(index, word)
    made = merged(machine(net, MAX_STATES, ()))
    return Automaton(pack(made), made.accepts, loose)


@pytest.fixture
def too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "fitting_of", loosened)


@settings(max_examples=EXAMPLES // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_patterns_that_are_too_many_together_are_asked_one_by_one(
    too_many: None, case: tuple[Policy, list[Request]]
) -> None:
    policy, asked = case
    published = publish(policy)
    domain = policy.domains[DOMAIN]
    complete = not published.incomplete
    for request in asked:
        decision = decide(policy, domain, request)
        if decision.mode is Mode.DISABLED and request.operation.keyword != "file execute":
            continue
        raw = raw_request(published, domain, request)
        answer = walk.decide(published.tables, raw)
        # What is too large grants nothing; and what a refused program is called may be its own name.
        wrong = agrees(published, raw, answer, decision)
        if not complete:
            assert decision.granted or not answer.granted
        elif wrong != "candidate" or decision.granted or answer.candidate:
            assert not wrong, (request, answer, decision)
