"""Moves and handlers; tests/cli/test_why.py has what is said of them."""

from __future__ import annotations

from tests.decide.support import execution, facts, policy, request

from sekisho.cli.consequences import arrived, handler, move_after, move_before
from sekisho.decide.evaluate import decide
from sekisho.domain.transition import ManualTransition
from sekisho.policy.model import Mode


def test_a_domain_that_is_not_there_is_looked_at_but_not_made() -> None:
    made, domain = policy("task auto_domain_transition <kernel> /b", groups={3: []})
    move = move_before(made, domain, request("file read /a"))

    assert move == ManualTransition("<kernel> /b", True, None)
    there = arrived(made, domain, move)
    assert (there.name, there.profile, there.groups) == ("<kernel> /b", domain.profile, {3})
    assert "<kernel> /b" not in made.domains
    assert arrived(made, there, ManualTransition(domain.name, False, None)) is domain


def test_only_an_entry_with_a_destination_moves() -> None:
    made, domain = policy('file read /a auto_domain_transition="/b"', "file read /c")

    assert move_after(made, domain, decide(made, domain, request("file read /c"))) is None
    assert move_after(made, domain, decide(made, domain, request("file read /a"))) is not None


def test_a_denied_execution_has_a_handler_only_where_it_is_enforced() -> None:
    for mode in Mode:
        made, domain = policy("task denied_execute_handler /h", mode=mode)
        asked = request("file execute /a", execution(b"a"))
        expected = "/h" if mode is Mode.ENFORCING else None
        assert handler(made, domain, asked, decide(made, domain, asked)) == expected

    made, domain = policy("task auto_execute_handler /h")
    asked = request("file read /a", facts())
    assert handler(made, domain, asked, decide(made, domain, asked)) is None
