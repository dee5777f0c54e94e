from __future__ import annotations

import pytest
from tests.decide.support import policy

from sekisho.decide.view import view_of
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Mode, Namespace


def test_a_view_lasts_while_nothing_changes() -> None:
    made, domain = policy("file read /a", groups={3: ["file read /b"]})
    view = view_of(made, domain)

    assert view.is_current(made, domain)
    add_entry(made.namespaces["<kernel>"].acl_groups[3], parse_acl("file read /c"))
    assert not view.is_current(made, domain)
    assert view is view_of(made, domain)
    assert view.is_current(made, domain)


def test_an_exchanged_namespace_is_seen() -> None:
    made, domain = policy()
    view_of(made, domain)
    made.namespaces["<kernel>"] = Namespace("<kernel>")

    assert view_of(made, domain).namespace is made.namespaces["<kernel>"]


@pytest.mark.parametrize("operation", sorted({op.profile for op in OPERATIONS.values() if op.category != "task"}))
@pytest.mark.parametrize("forced", [None, Mode.LEARNING, Mode.ENFORCING])
def test_configs_are_what_the_policy_says(operation: str, forced: Mode | None) -> None:
    made, domain = policy(mode=Mode.PERMISSIVE)
    made.forced_mode = forced
    view = view_of(made, domain)

    assert made.config(domain, operation) == view.config(operation, domain)
    assert view.config(operation, domain) is view.config(operation, domain)
