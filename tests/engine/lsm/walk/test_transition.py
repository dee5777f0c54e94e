"""What programs are called, and where directives send them, is what the core says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.lsm.walk.strategies import DOMAIN, DOMAINS, NAMES, policies
from tests.engine.lsm.walk.support import publish

from sekisho.domain.control import transition_kind
from sekisho.domain.transition import aggregate
from sekisho.engine.lsm.compile.interning import word_id
from sekisho.engine.lsm.layout import CONTROL_BITS
from sekisho.engine.lsm.walk.transition import called, control
from sekisho.names.word import decode
from sekisho.policy.model import Policy, TransitionControl

AGGREGATORS = 1000
"""Where the list of a namespace's aggregators is published, and its domain's id."""


@settings(max_examples=100)
@given(policies(), st.lists(st.sampled_from([*NAMES, "/tmp/12"]), min_size=1, max_size=5))
def test_a_program_is_called_what_the_first_aggregator_says(policy: Policy, programs: list[str]) -> None:
    published = publish(policy)
    namespace = policy.namespaces["<kernel>"]
    number = AGGREGATORS + published.domain("<kernel>")
    for program in programs if namespace.aggregators else ():
        name = aggregate(namespace, program)
        found = called(published.tables, number, decode(program))

        assert found == word_id(published.ids, name) or (not found and name == program)


@settings(max_examples=100)
@given(policies(), st.sampled_from(["/a", "/b", "/\\*"]), st.sampled_from([*DOMAINS, "<kernel> /b /a", DOMAIN]))
def test_directives_send_programs_where_the_core_sends_them(policy: Policy, program: str, domain: str) -> None:
    published = publish(policy)
    namespace = policy.namespaces[domain.partition(" ")[0]]
    bit = control(published.tables, published.domain(domain), word_id(published.ids, program))

    assert {number: kind for kind, number in CONTROL_BITS.items()}.get(bit) == transition_kind(
        namespace, domain, program
    )


@pytest.mark.parametrize(
    ("where", "domain", "reached"),
    [
        ("</a>", "</a>", True),
        ("</a>", "<kernel> </a>", True),
        ("/a", "</a>", False),
        ("/a", "<kernel> /a", True),
        ("<kernel> /a", "<kernel> /b /a", False),
    ],
)
def test_a_namespace_is_no_last_word_without_its_brackets(where: str, domain: str, reached: bool) -> None:
    policy = Policy()
    for name in ("<kernel>", "</a>"):
        policy.namespaces.setdefault(name, type(policy.namespaces["<kernel>"])(name))
        policy.namespaces[name].transitions.append(TransitionControl("keep_domain", None, where))
    published = publish(policy)

    assert transition_kind(policy.namespaces["<kernel>"], domain, "/x") == ("keep_domain" if reached else None)
    assert control(published.tables, published.domain(domain), 0) == (CONTROL_BITS["keep_domain"] if reached else 0)
