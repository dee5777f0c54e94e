"""The execve algorithm step by step (spec a.3), and the manual transition (a.4)."""

from __future__ import annotations

import pytest
from tests.decide.support import DOMAIN, execution, facts, policy

from sekisho.domain.transition import (
    ExecutionPlan,
    aggregate,
    creation_lines,
    enter,
    plan_execution,
    plan_manual_transition,
)
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, ensure_domain, ensure_namespace
from sekisho.policy.model import Config, Domain, Mode, Policy, Profile
from sekisho.policy.parser import parse_exception_policy

Made = tuple[Policy, Domain]


def made(*lines: str, exceptions: str = "", mode: Mode = Mode.ENFORCING) -> Made:
    result, domain = policy(*lines, mode=mode)
    parse_exception_policy(exceptions, result)
    return result, domain


def plan(given: Made, exename: str = "/bin/sh") -> ExecutionPlan:
    return plan_execution(*given, exename, execution(b"sh", realpath="/bin/dash"))


def test_the_usual_destination_is_a_child() -> None:
    planned = plan(made("file execute /bin/sh"))

    assert (f"{DOMAIN} /bin/sh", True, None, False) == (
        planned.destination, planned.creates, planned.failure, planned.transition_failed,
    )  # fmt: skip
    assert planned.decision.granted


def test_planning_changes_nothing() -> None:
    given = made(mode=Mode.LEARNING)
    before = (dict(given[0].domains), list(given[1].entries), given[1].generation)
    plan(given)

    assert before == (given[0].domains, given[1].entries, given[1].generation)


@pytest.mark.parametrize(
    ("preference", "destination"),
    [
        ("keep", None),
        ("child", f"{DOMAIN} /bin/sh"),
        ("initialize", "<kernel> /bin/sh"),
        ("parent", "<kernel>"),
        ("<kernel> /else", "<kernel> /else"),
        ("/other", f"{DOMAIN} /other"),
    ],
)
def test_a_preference_decides_before_transition_control(preference: str, destination: str | None) -> None:
    given = made(f"file execute /bin/sh {preference}", exceptions="initialize_domain any from any\n")
    given[0].namespaces["<kernel>"].profiles[0] = Profile()
    planned = plan(given)

    assert (destination, None) == (planned.destination, planned.failure)


def test_the_parent_of_a_namespace_is_itself() -> None:
    result, _ = made()
    kernel = result.domains["<kernel>"]
    result.namespaces["<kernel>"].profiles[0] = Profile()

    add_entry(kernel, parse_acl("file execute /bin/sh parent"))

    assert plan((result, kernel)).destination == "<kernel>"


def test_a_preference_of_an_entry_that_does_not_grant_is_nothing() -> None:
    assert plan(made("file execute /bin/sh keep task.uid=0", mode=Mode.PERMISSIVE)).destination == f"{DOMAIN} /bin/sh"


@pytest.mark.parametrize(
    ("exceptions", "destination"),
    [
        ("initialize_domain /bin/sh from any\n", "<kernel> /bin/sh"),
        ("keep_domain any from any\n", None),
        ("no_keep_domain any from any\nkeep_domain any from any\n", f"{DOMAIN} /bin/sh"),
    ],
)
def test_transition_control(exceptions: str, destination: str | None) -> None:
    assert destination == plan(made("file execute /bin/sh", exceptions=exceptions)).destination


def test_a_reset_needs_a_domain_that_is_there() -> None:
    given = made("file execute /bin/sh", exceptions="reset_domain /bin/sh from any\n", mode=Mode.LEARNING)
    planned = plan(given)
    assert (None, "ENOMEM", "ERROR: Domain '</bin/sh>' not ready.") == (
        planned.destination, planned.failure, planned.message,
    )  # fmt: skip
    assert "</bin/sh>" not in given[0].namespaces

    ensure_domain(given[0], "</bin/sh>")
    assert plan(given).failure == "ENOMEM"
    given[0].namespaces["</bin/sh>"].profiles[0] = Profile()
    planned = plan(given)
    assert ("</bin/sh>", None, False) == (planned.destination, planned.failure, planned.creates)


def test_the_reset_preference_too() -> None:
    assert plan(made("file execute /bin/sh reset")).failure == "ENOMEM"


def test_other_namespaces_are_never_created() -> None:
    given = made("file execute /bin/sh <other> /x")
    ensure_namespace(given[0], "<other>")

    assert plan(given).failure == "ENOMEM"


def test_a_domain_whose_profile_is_undefined_is_not_entered() -> None:
    given = made("file execute /bin/sh")
    ensure_domain(given[0], f"{DOMAIN} /bin/sh").profile = 77
    planned = plan(given)

    assert (None, "ENOMEM", "") == (planned.destination, planned.failure, planned.message)


def test_where_nothing_is_enforced_the_program_stays() -> None:
    given = made("file execute /bin/sh", mode=Mode.PERMISSIVE)
    ensure_domain(given[0], f"{DOMAIN} /bin/sh").profile = 77
    planned = plan(given)

    assert (None, None, True) == (planned.destination, planned.failure, planned.transition_failed)
    assert planned.message == f"ERROR: Domain '{DOMAIN} /bin/sh' not defined."
    assert given[1] is enter(given[0], planned, given[1])
    assert given[1].transition_failed
    assert plan(given).message == ""


def test_a_name_too_long_fails() -> None:
    program = "/" + "a" * (4085 - len(DOMAIN) - 2)
    given = made(f"file execute {program}", f"file execute {program}a")

    assert plan(given, program).creates
    assert plan(given, f"{program}a").failure == "ENOMEM"


def test_aggregators_name_the_program_once() -> None:
    exceptions = "aggregator /bin/\\*sh /shells\naggregator /bin/zsh /z\naggregator /shells /never\n"
    given = made("file execute /shells", exceptions=exceptions)
    planned = plan(given, "/bin/zsh")

    assert ("/shells", True) == (planned.candidate, planned.decision.granted)
    assert planned.request.arguments == ("/shells",)
    assert aggregate(given[0].namespaces["<kernel>"], "/bin/true") == "/bin/true"


def test_domain_names_take_policys_own_text() -> None:
    given = made("file execute /tmp/\\*", exceptions="initialize_domain /tmp/\\* from any\n")
    planned = plan(given, "/tmp/x1")

    assert ("/tmp/\\*", "<kernel> /tmp/\\*", True) == (planned.candidate, planned.destination, planned.creates)


def test_so_does_an_entry_whose_condition_failed() -> None:
    assert plan(made("file execute /tmp/\\* task.uid=0", mode=Mode.PERMISSIVE), "/tmp/x").candidate == "/tmp/\\*"


def test_programs_move_in_disabled_mode_too() -> None:
    given = made(mode=Mode.DISABLED)
    planned = plan(given)

    assert enter(given[0], planned, given[1]) is given[0].domains[f"{DOMAIN} /bin/sh"]


def test_a_new_domain_inherits_when_it_is_created_and_only_then() -> None:
    given = made("file execute /bin/sh", mode=Mode.LEARNING)
    given[1].groups = {7, 0}
    child = enter(given[0], plan(given), given[1])
    given[1].groups.add(9)

    assert (3, {0, 7}) == (child.profile, child.groups)
    assert creation_lines(child) == ["use_profile 3", "use_group 0", "use_group 7"]
    assert not plan(given).creates
    assert child is enter(given[0], plan(given), given[1])


def test_a_failed_plan_leads_nowhere() -> None:
    given = made("file execute /bin/sh reset")

    assert given[1] is enter(given[0], plan(given), given[1])


MANUAL = f"task manual_domain_transition {DOMAIN} /child"


@pytest.mark.parametrize(
    ("lines", "name", "failure"),
    [
        ([MANUAL], f"{DOMAIN} /child", None),
        ([], f"{DOMAIN} /child", "EPERM"),
        ([MANUAL + " task.uid=0"], f"{DOMAIN} /child", "EPERM"),
        (["task manual_domain_transition <other> /x"], "<other> /x", "ENOENT"),
        ([MANUAL], "child", "EINVAL"),
        ([MANUAL], "<kernel>  /x", "EINVAL"),
        ([MANUAL], "", "ENOMEM"),
        ([MANUAL], "<kernel> /" + "a" * 4100, "ENOMEM"),
    ],
)
def test_manual_transition(lines: list[str], name: str, failure: str | None) -> None:
    given = made(*lines, mode=Mode.DISABLED)
    planned = plan_manual_transition(*given, name, facts())

    assert failure == planned.failure
    entered = enter(given[0], planned, given[1])
    assert (name if failure is None else DOMAIN) == entered.name


def test_profiles_of_a_namespace_are_its_own() -> None:
    given = made("file execute /bin/sh <other>")
    ensure_domain(given[0], "<other>").profile = 3
    assert plan(given).failure == "ENOMEM"
    given[0].namespaces["<other>"].profiles[3] = Profile(configs={"": Config(Mode.DISABLED, True, True)})

    assert plan(given).destination == "<other>"
