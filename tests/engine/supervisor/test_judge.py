from __future__ import annotations

import pytest
from tests.decide.support import request
from tests.engine.supervisor.stage import DOMAIN, Stage, stage

from sekisho.policy.model import Config, Mode
from sekisho.policy.printer import print_acl

READ_LINE = "file read /etc/passwd"
READ, WRITE = request("file read /etc/passwd"), request("file write /etc/shadow")


def allows(on: Stage, *requests: object) -> bool:
    return on.supervisor.judge.allows(on.domain, requests)  # type: ignore[arg-type]


def test_what_is_granted_passes_without_a_word(enforcing: Stage) -> None:
    enforcing.allow("file read /etc/passwd", "file write /etc/shadow")

    assert allows(enforcing, READ, WRITE)
    assert [] == enforcing.recorded
    assert enforcing.supervisor.judge.repeatable


def test_what_isnt_is_recorded_and_refused(enforcing: Stage) -> None:
    enforcing.allow("file read /etc/passwd")

    assert not allows(enforcing, READ, WRITE)
    assert ["file write /etc/shadow"] == enforcing.recorded
    assert not enforcing.supervisor.judge.repeatable


def test_nothing_after_a_refusal_is_asked_for(enforcing: Stage) -> None:
    assert not allows(enforcing, WRITE, READ)
    assert ["file write /etc/shadow"] == enforcing.recorded


def test_permissive_records_all_and_refuses_nothing() -> None:
    with stage(Mode.PERMISSIVE) as made:
        assert allows(made, WRITE, READ)
        assert ["file write /etc/shadow", "file read /etc/passwd"] == made.recorded
        assert not made.supervisor.judge.repeatable


def test_learning_learns_what_it_sees_once(learning: Stage) -> None:
    assert allows(learning, READ)
    assert ["file read /etc/passwd"] == learning.learned
    assert ["file read /etc/passwd"] == [print_acl(entry) for entry in learning.domain.entries]
    assert not learning.supervisor.judge.repeatable

    assert allows(learning, READ)
    assert 1 == len(learning.learned)
    assert learning.supervisor.judge.repeatable


def test_disabled_passes_silently(disabled: Stage) -> None:
    assert allows(disabled, READ, WRITE)
    assert ([], []) == (disabled.recorded, disabled.learned)


def test_a_full_domain_learns_no_more_and_says_so_once(learning: Stage) -> None:
    learning.policy.namespaces["<kernel>"].profiles[3].max_learning_entry = 1

    assert allows(learning, READ, WRITE)
    assert allows(learning, request("file read /third"))
    assert ["file read /etc/passwd"] == learning.learned
    assert ["quota_exceeded"] == learning.notes


def test_a_condition_is_looked_at_every_time(enforcing: Stage) -> None:
    enforcing.allow("file read /etc/passwd task.uid=0-4294967295")

    assert allows(enforcing, READ)
    assert not enforcing.supervisor.judge.repeatable


@pytest.mark.parametrize(("grant_log", "recorded"), [(True, ["file read /etc/passwd"]), (False, [])])
def test_granted_requests_are_recorded_where_asked_for(enforcing: Stage, grant_log: bool, recorded: list[str]) -> None:
    profile = enforcing.policy.namespaces["<kernel>"].profiles[3]
    profile.configs[""] = Config(Mode.ENFORCING, grant_log=grant_log, reject_log=True)
    enforcing.allow("file read /etc/passwd")

    assert allows(enforcing, READ)
    assert recorded == enforcing.recorded
    assert grant_log is not enforcing.supervisor.judge.repeatable


def test_rejected_requests_are_not_recorded_where_not_asked_for(enforcing: Stage) -> None:
    profile = enforcing.policy.namespaces["<kernel>"].profiles[3]
    profile.configs[""] = Config(Mode.ENFORCING, grant_log=False, reject_log=False)

    assert not allows(enforcing, READ)
    assert [] == enforcing.recorded


def test_the_domain_is_the_one_asked_about(enforcing: Stage) -> None:
    enforcing.allow("file read /etc/passwd")

    assert DOMAIN == enforcing.domain.name
    assert enforcing.supervisor.judge.allows(enforcing.policy.domains["<kernel>"], [WRITE])


def test_nothing_is_learned_when_policy_is_full(learning: Stage) -> None:
    learning.supervisor.judge.is_full = lambda: True
    assert allows(learning, READ)
    assert ([], [READ_LINE]) == (learning.learned, learning.recorded)
