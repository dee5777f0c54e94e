"""Execute handlers: which one runs, where, and what it is told."""

from __future__ import annotations

import pytest
from tests.decide.support import DOMAIN, TASK, execution, facts, policy

from sekisho.decide.request import Execution, Task
from sekisho.decide.text import request_text
from sekisho.domain.handlers import auto_handler, denied_handler, handler_arguments, has_handler, plan_handler
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Mode
from sekisho.policy.parser import parse_exception_policy


def test_none_is_the_rule() -> None:
    made, domain = policy("file execute /a")

    assert not has_handler(made, domain)
    assert auto_handler(made, domain, execution(b"sh")) is None
    assert denied_handler(made, domain, execution(b"sh")) is None


@pytest.mark.parametrize("mode", list(Mode))
def test_each_kind_has_its_own_and_the_first_that_holds_runs(mode: Mode) -> None:
    made, domain = policy(
        'task auto_execute_handler /auto/sh exec.argv[0]="sh"',
        "task denied_execute_handler /denied task.uid=0",
        groups={1: ["task auto_execute_handler /auto/other", "task denied_execute_handler /denied/group"]},
        mode=mode,
    )

    assert has_handler(made, domain)
    assert auto_handler(made, domain, execution(b"sh")) == "/auto/sh"
    assert auto_handler(made, domain, execution(b"ls")) == "/auto/other"
    assert denied_handler(made, domain, execution(b"sh")) == "/denied/group"


def test_a_handler_has_no_handler() -> None:
    made, domain = policy("task auto_execute_handler /a", "task denied_execute_handler /d")
    inside = facts(task=Task(execute_handler=True))

    assert has_handler(made, domain)
    assert (auto_handler(made, domain, inside), denied_handler(made, domain, inside)) == (None, None)
    assert (auto_handler(made, domain, facts()), denied_handler(made, domain, facts())) == ("/a", "/d")


@pytest.mark.parametrize(
    ("exceptions", "destination"),
    [
        ("", f"{DOMAIN} /h"),
        ("initialize_domain /h from any", "<kernel> /h"),
        ("keep_domain /h from any", None),
        ("aggregator /h /other", f"{DOMAIN} /h"),
    ],
)
def test_it_runs_where_transition_control_says_without_an_entry(exceptions: str, destination: str | None) -> None:
    made, domain = policy("task auto_execute_handler /h", "file execute /h <kernel> /nowhere")
    parse_exception_policy(exceptions, made)
    plan = plan_handler(made, domain, "/h", execution(b"sh"))

    assert (plan.candidate, plan.destination, plan.failure) == ("/h", destination, None)
    assert plan.decision.granted and plan.decision.mode is Mode.ENFORCING


@pytest.mark.parametrize(
    ("line", "mode", "logged"),
    [
        ("task auto_execute_handler /h", Mode.ENFORCING, True),
        ("task denied_execute_handler /h task.uid!=0", Mode.LEARNING, True),
        ("task denied_execute_handler /h grant_log=no", Mode.ENFORCING, False),
        ("task auto_execute_handler /h grant_log=yes", Mode.DISABLED, False),
    ],
)
def test_the_record_shows_its_own_entry(line: str, mode: Mode, logged: bool) -> None:
    made, domain = policy(line, mode=mode)
    plan = plan_handler(made, domain, "/h", execution(b"sh"))

    assert (request_text(plan.request), plan.decision.entry) == (" ".join(line.split()[:3]), domain.entries[0])
    assert (plan.decision.grant_log, plan.decision.reject_log, plan.decision.cacheable) == (logged, False, False)


def test_it_fails_where_its_domain_cannot_be_had() -> None:
    made, domain = policy("task auto_execute_handler /h")
    ensure_domain(made, f"{DOMAIN} /h").profile = 77

    assert plan_handler(made, domain, "/h", execution(b"sh")).failure == "ENOMEM"


def test_what_it_is_told() -> None:
    asked = Execution("/usr/bin/dash", (b"sh", b"-c", b"echo\xff"), (b"A=1", b"B= "))

    assert handler_arguments("/h\\040x", "<kernel> /a\\040b", "/usr/bin/p\\040q", TASK, b"./s h", asked) == (
        b"/h x",
        b"<kernel> /a\\040b",
        b"/usr/bin/p\\040q",
        b"pid=100 uid=1000 gid=1001 euid=1002 egid=1003 suid=1004 sgid=1005 fsuid=1006 fsgid=1007",
        b"./s h",
        b"3",
        b"2",
        b"sh",
        b"-c",
        b"echo\xff",
        b"A=1",
        b"B= ",
    )
