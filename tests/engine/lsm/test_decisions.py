"""The kernel side answers as the walk over the same tables does, and that as the core does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.lsm.trials import Kernel, answer_of
from tests.engine.lsm.walk.strategies import DOMAIN, cases, facts, policies
from tests.engine.lsm.walk.support import agrees, publish, raw_facts, raw_request

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Facts, Request
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.walk import decide as walk
from sekisho.engine.lsm.walk.request import RawRequest
from sekisho.policy.model import Mode, Policy

pytestmark = [pytest.mark.root, pytest.mark.needs("clang", "llvm-strip")]
EXAMPLES = 100
STANDING = [operation.keyword for operation in layout.STANDING.operations]
ALIKE = sum(1 << layout.BITS[f"file {word}"] for word in ("read", "write", "append", "unlink", "getattr"))


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """The trial programs, loaded."""
    made = Kernel()
    yield made
    made.close()


def narrow(request: Request) -> None:
    """There is one text besides a request's names: what a link is going to hold, or which program is executed."""
    keyword, held = request.operation.keyword, request.facts
    if keyword == "file symlink":
        held.execution = None
    else:
        held.symlink_target = None
    if keyword == "file mount":
        held.execution = None


@settings(max_examples=EXAMPLES)
@given(case=cases())
def test_the_kernel_answers_as_the_core_does(kernel: Kernel, case: tuple[Policy, list[Request]]) -> None:
    policy, asked = case
    published = publish(policy)
    domain = policy.domains[DOMAIN]
    raws = []
    for request in asked:
        narrow(request)
        raws.append(raw_request(published, domain, request))  # before publication: it may give ids
    with kernel.holding(published.tables):
        for request, raw in zip(asked, raws, strict=True):
            decision = decide(policy, domain, request)
            if decision.mode is Mode.DISABLED and request.operation.keyword != "file execute":
                continue  # nobody asks
            trial = kernel.ask(raw)
            answer = answer_of(trial)

            assert answer == walk.decide(published.tables, raw), (request, decision)
            assert not agrees(published, raw, answer, decision), (request, answer, decision)
            assert (trial.verdict == -1) is (not decision.granted and decision.mode is Mode.ENFORCING)


@settings(max_examples=EXAMPLES)
@given(case=cases(), mask=st.integers(0, 2**7 - 1))
def test_several_operations_at_once_are_answered_as_the_walk_does(
    kernel: Kernel, case: tuple[Policy, list[Request]], mask: int
) -> None:
    policy, asked = case
    published = publish(policy)
    raws = []
    for request in asked:
        narrow(request)
        raw = raw_request(published, policy.domains[DOMAIN], request)
        if request.operation.group == "path" and request.operation.keyword not in ("file execute", "file symlink"):
            raw.asked |= mask & ALIKE
        raws.append(raw)
    with kernel.holding(published.tables):
        for raw in raws:
            assert answer_of(kernel.ask(raw)) == walk.decide(published.tables, raw), raw


@settings(max_examples=EXAMPLES)
@given(policy=policies(st.sampled_from(STANDING)), held=facts())
def test_what_stands_by_is_found_as_the_walk_finds_it(kernel: Kernel, policy: Policy, held: Facts) -> None:
    held.symlink_target = None
    published = publish(policy)
    number = published.domain(DOMAIN)
    with kernel.holding(published.tables):
        for keyword in STANDING:
            raw = RawRequest(number, layout.STANDING, 1 << layout.BITS[keyword], facts=raw_facts(held))
            assert answer_of(kernel.ask(raw)) == walk.decide(published.tables, raw), keyword
