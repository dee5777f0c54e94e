"""The compiled tables, walked as the kernel side does, give the answers that ``decide`` gives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.lsm.walk.strategies import DOMAIN, NAMES, cases, facts, policies
from tests.engine.lsm.walk.support import agrees, publish, raw_facts, raw_request

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Facts, Request
from sekisho.decide.standing import standing_entry
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile import names
from sekisho.engine.lsm.compile.automaton import MAX_STATES, Automaton
from sekisho.engine.lsm.compile.interning import word_id
from sekisho.engine.lsm.compile.merging import merged
from sekisho.engine.lsm.compile.net import Net
from sekisho.engine.lsm.compile.packing import pack
from sekisho.engine.lsm.compile.subsets import machine
from sekisho.engine.lsm.walk import decide as walk
from sekisho.engine.lsm.walk.request import Answer, RawRequest
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Mode, Policy

EXAMPLES = 150
STANDING = [operation.keyword for operation in layout.STANDING.operations]


def check(policy: Policy, asked: list[Request]) -> None:
    """The tables answer every request as the core does."""
    published = publish(policy)
    domain = policy.domains[DOMAIN]
    for request in asked:
        decision = decide(policy, domain, request)
        if decision.mode is Mode.DISABLED and request.operation.keyword != "file execute":
            continue  # nobody asks
        raw = raw_request(published, domain, request)
        answer = walk.decide(published.tables, raw)

        assert not agrees(published, raw, answer, decision), (request, answer, decision)


@settings(max_examples=EXAMPLES)
@given(cases())
def test_tables_answer_as_policy_does(case: tuple[Policy, list[Request]]) -> None:
    check(*case)


@settings(max_examples=EXAMPLES // 2)
@given(cases(st.just(st.sampled_from(["network inet stream connect", "network inet stream bind"]))))
def test_addresses_and_ports_are_found_as_policy_has_them(case: tuple[Policy, list[Request]]) -> None:
    check(*case)


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


OPEN = [OPERATIONS[keyword] for keyword in ("file read", "file write", "file append", "file truncate")]
BITS = [layout.BITS[operation.keyword] for operation in OPEN]


@settings(max_examples=EXAMPLES // 2)
@given(policies(st.sampled_from([operation.keyword for operation in OPEN])), st.sampled_from(NAMES[:4]), facts())
def test_operations_asked_for_together_are_each_answered_as_alone(policy: Policy, name: str, about: Facts) -> None:
    published = publish(policy)
    domain = policy.domains[DOMAIN]
    alone = [
        walk.decide(published.tables, raw_request(published, domain, Request(operation, (name,), about)))
        for operation in OPEN
    ]
    raw = raw_request(published, domain, Request(OPEN[0], (name,), about))
    raw.asked = sum(1 << bit for bit in BITS)
    answer = walk.decide(published.tables, raw)

    for field in ("granted", "refused", "logged"):
        assert getattr(answer, field) == sum(getattr(each, field) for each in alone)
    ruled = next((each for each in alone if each.list), Answer())
    assert (ruled.list, ruled.entry) == (answer.list, answer.entry)
    moving = next((each for each in reversed(alone) if each.move_kind), Answer())
    assert (moving.move, moving.move_kind) == (answer.move, answer.move_kind)


@settings(max_examples=EXAMPLES // 2)
@given(policies(st.sampled_from(STANDING)), facts())
def test_what_stands_by_is_the_first_whose_conditions_hold(policy: Policy, about: Facts) -> None:
    published = publish(policy)
    domain = policy.domains[DOMAIN]
    for operation in layout.STANDING.operations:
        raw = RawRequest(published.domain(DOMAIN), layout.STANDING, 1 << layout.BITS[operation.keyword])
        raw.facts = raw_facts(about)
        answer = walk.decide(published.tables, raw)
        entry = standing_entry(policy, domain, operation, about)

        assert (published.entries[answer.list][answer.entry] if answer.list else None) is entry
        if entry is None:
            continue
        operand = entry.operands[0].text
        if operand.startswith("<"):
            assert published.domain(operand) == answer.target
        else:
            assert word_id(published.ids, operand) == answer.candidate
