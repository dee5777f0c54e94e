"""Whatever a policy says, it compiles; and its own entries' literal operands are answered as the core does."""

from __future__ import annotations

from hypothesis import given, settings
from tests.engine.lsm.walk.support import agrees, publish, raw_request
from tests.policy.strategies import policies

from sekisho.decide.evaluate import decide
from sekisho.decide.operands import is_exact
from sekisho.decide.request import Request
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.walk import decide as walk
from sekisho.names.word import is_correct_domain
from sekisho.policy.model import AclEntry, Address, Domain, Mode, Number, Policy


def asked(domain: Domain) -> list[Request]:
    """What the domain's entries are about where they are about one thing, and no other entry says it better."""
    found = []
    for entry in domain.entries:
        if layout.FAMILY_OF[entry.operations[0].keyword] is layout.STANDING:
            continue
        if all(is_exact(operand) or is_correct_domain(operand.text) for operand in entry.operands):
            found += [Request(operation, arguments(entry)) for operation in entry.operations]
    return found


def arguments(entry: AclEntry) -> tuple[str | int, ...]:
    return tuple(
        operand.low
        if isinstance(operand, Number)
        else operand.text.partition("-")[0]
        if isinstance(operand, Address)
        else operand.text
        for operand in entry.operands
    )


@settings(max_examples=100)
@given(policies())
def test_any_policy_compiles(policy: Policy) -> None:
    published = publish(policy)
    for domain in policy.domains.values():
        for request in asked(domain):
            decision = decide(policy, domain, request)
            if decision.mode is Mode.DISABLED and request.operation.keyword != "file execute":
                continue
            raw = raw_request(published, domain, request)
            answer = walk.decide(published.tables, raw)

            assert not agrees(published, raw, answer, decision), (request, answer, decision)
