"""The compiled tables, walked as the kernel side does, give the answers that ``decide`` gives."""

from __future__ import annotations

from hypothesis import given, settings
from tests.engine.lsm.walk.strategies import DOMAIN, cases
from tests.engine.lsm.walk.support import agrees, publish, raw_request

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Request
from sekisho.engine.lsm.walk import decide as walk
from sekisho.policy.model import Mode, Policy

EXAMPLES = 200


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
