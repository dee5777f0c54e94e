from __future__ import annotations

from tests.decide.support import DOMAIN, policy, request

from sekisho.decide.evaluate import decide
from sekisho.decide.explain import explain, missing_line
from sekisho.policy.model import Domain, Mode, Policy


def why(made: tuple[Policy, Domain], text: str) -> list[str]:
    return explain(*made, request(text), decide(*made, request(text)))


def test_a_grant_names_its_line() -> None:
    assert why(policy("file read /\\*"), "file read /a") == [f"Granted by 'file read /\\*' of {DOMAIN}."]


def test_a_grant_names_its_group() -> None:
    made = policy(groups={5: ["misc env \\*"]})

    assert why(made, "misc env A") == ["Granted by 'misc env \\*' of acl_group 5."]


def test_a_refusal_names_the_missing_line() -> None:
    assert why(policy(groups={5: []}), "file mkdir /d/ 0700") == [
        f"No entry of {DOMAIN}, acl_group 5 grants it.",
        "Enforcing mode refuses it.",
        "Missing: file mkdir /d/ 0700",
    ]


def test_a_refusal_names_the_condition_that_failed() -> None:
    lines = why(policy("file read /a task.gid=1001 task.uid=0"), "file read /a")

    assert lines[1] == "'file read /a task.gid=1001 task.uid=0' would, but task.uid=0 doesn't hold."


def test_modes_that_allow_say_so() -> None:
    assert "Learning mode allows it and adds it to the policy." in why(policy(mode=Mode.LEARNING), "file read /a")
    assert "Permissive mode allows it and records it." in why(policy(mode=Mode.PERMISSIVE), "file read /a")


def test_what_is_not_checked_says_why() -> None:
    made, domain = policy(mode=Mode.DISABLED)
    assert why((made, domain), "file read /a") == [f"Not checked: profile 3 of {DOMAIN} disables file::open."]
    domain.profile = 8
    assert why((made, domain), "file read /a") == [f"Not checked: profile 8 of {DOMAIN} isn't defined."]


def test_the_missing_line_is_the_request() -> None:
    assert missing_line(request("file chmod /a 0644")) == "file chmod /a 0644"
