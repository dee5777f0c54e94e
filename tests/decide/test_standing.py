"""Entries that take effect by themselves: which of them does."""

from __future__ import annotations

import pytest
from tests.decide.support import facts, policy

from sekisho.decide.request import Task
from sekisho.decide.standing import has_standing, standing_entry
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, delete_entry
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Mode

_HANDLER = OPERATIONS["task auto_execute_handler"]


def test_none_is_the_rule() -> None:
    made, domain = policy("file read /a", "task denied_execute_handler /h", groups={1: ["file read /b"]})

    assert not has_standing(made, domain, _HANDLER)
    assert standing_entry(made, domain, _HANDLER, facts()) is None


@pytest.mark.parametrize("mode", list(Mode))
def test_the_first_whose_conditions_hold_in_every_mode(mode: Mode) -> None:
    lines = ["task auto_execute_handler /a task.uid=0", "task auto_execute_handler /b", "task auto_execute_handler /c"]
    made, domain = policy(*lines, mode=mode)

    assert has_standing(made, domain, _HANDLER)
    assert standing_entry(made, domain, _HANDLER, facts()) == parse_acl("task auto_execute_handler /b")
    assert standing_entry(made, domain, _HANDLER, facts(task=Task())) == parse_acl(lines[0])


def test_own_entries_come_before_those_of_groups_in_ascending_order() -> None:
    made, domain = policy(
        groups={9: ["task auto_execute_handler /nine"], 10: ["task auto_execute_handler /ten"]},
    )
    assert standing_entry(made, domain, _HANDLER, facts()) == parse_acl("task auto_execute_handler /nine")

    add_entry(domain, parse_acl("task auto_execute_handler /own"))
    assert standing_entry(made, domain, _HANDLER, facts()) == parse_acl("task auto_execute_handler /own")
    domain.groups.clear()
    delete_entry(domain, parse_acl("task auto_execute_handler /own"))
    assert not has_standing(made, domain, _HANDLER)


def test_conditions_look_at_groups_of_the_namespace() -> None:
    made, domain = policy("task auto_execute_handler /a task.uid=@U")
    assert standing_entry(made, domain, _HANDLER, facts()) is None
    made.namespaces["<kernel>"].number_groups["U"] = [parse_acl("file create /a 1000").operands[1]]  # type: ignore[list-item]
    made.namespaces["<kernel>"].generation += 1

    assert standing_entry(made, domain, _HANDLER, facts()) is not None
