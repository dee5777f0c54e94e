"""Transitions that nobody asks for: which entry sends whom where, and when that can't be."""

from __future__ import annotations

import pytest
from tests.decide.support import DOMAIN, facts, policy

from sekisho.decide.request import Task
from sekisho.domain.automatic import automatic_transition, entry_transition, has_automatic
from sekisho.domain.transition import ManualTransition, enter
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Config, Mode, Profile


def test_no_entry_no_transition() -> None:
    made, domain = policy("file read /a", "task manual_domain_transition <kernel> /b")

    assert not has_automatic(made, domain)
    assert automatic_transition(made, domain, facts()) is None


@pytest.mark.parametrize("mode", list(Mode))
def test_the_first_entry_whose_conditions_hold_decides(mode: Mode) -> None:
    made, domain = policy(
        "task auto_domain_transition <kernel> /root task.uid=0",
        "task auto_domain_transition <kernel> /user task.uid!=0",
        groups={1: ["task auto_domain_transition <kernel> /group"]},
        mode=mode,
    )

    assert has_automatic(made, domain)
    assert automatic_transition(made, domain, facts()) == ManualTransition("<kernel> /user", True, None)
    assert automatic_transition(made, domain, facts(task=Task())) == ManualTransition("<kernel> /root", True, None)


def test_where_no_condition_holds_the_task_stays() -> None:
    made, domain = policy("task auto_domain_transition <kernel> /root task.uid=0 task.gid=0")

    assert has_automatic(made, domain)
    assert automatic_transition(made, domain, facts()) is None


def test_whoever_is_there_stays_whatever_comes_after() -> None:
    lines = (f"task auto_domain_transition {DOMAIN}", "task auto_domain_transition <kernel> /b")

    assert automatic_transition(*policy(*lines), facts()) is None


def test_destinations_are_assigned_as_for_any_transition() -> None:
    made, domain = policy("task auto_domain_transition <a> /b")
    assert automatic_transition(made, domain, facts()) == ManualTransition("<a> /b", False, "ENOENT")

    destination = ensure_domain(made, "<a> /b")
    made.namespaces["<a>"].profiles[0] = Profile(configs={"": Config(Mode.ENFORCING, True, True)})
    plan = automatic_transition(made, domain, facts())
    assert plan == ManualTransition("<a> /b", False, None)
    assert enter(made, plan, domain) is destination


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("/b", ManualTransition(f"{DOMAIN} /b", True, None)),
        ("proc:/b", ManualTransition(f"{DOMAIN} proc:/b", True, None)),
        ("<kernel>", ManualTransition("<kernel>", False, "ENOENT")),
        ("<kernel> /b /c", ManualTransition("<kernel> /b /c", True, None)),
        ("<a> /b", ManualTransition("<a> /b", False, "ENOENT")),
        ("/" + "b" * 4086, ManualTransition(f"{DOMAIN} /{'b' * 4086}", False, "ENOENT")),
    ],
)
def test_an_entry_sends_to_a_child_or_to_any_domain(text: str, plan: ManualTransition) -> None:
    assert entry_transition(*policy(), text) == plan
