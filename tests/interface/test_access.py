from __future__ import annotations

import os

import pytest
from tests.interface.stage import Stage

from sekisho.interface.access import Access, Caller

OWNER, SOMEBODY = os.getuid(), 4711


@pytest.mark.parametrize(
    ("caller", "managers", "non_root", "active", "expected"),
    [
        (Caller(10, 0), ["/sbin/manager"], False, True, True),
        (Caller(10, OWNER), ["/sbin/manager"], False, True, True),
        (Caller(10, 0), ["<kernel>"], False, True, True),
        (Caller(10, 0), ["<kernel> /sbin/manager", "/bin/sh"], False, True, False),
        (Caller(10, 0), [], False, True, False),
        (Caller(10, SOMEBODY), ["/sbin/manager"], False, True, False),
        (Caller(10, SOMEBODY), ["/sbin/manager"], True, True, True),
        (Caller(10, SOMEBODY), ["/bin/sh"], True, True, False),
        (Caller(99, 0), ["/sbin/manager"], False, True, False),
        (Caller(0, 0), ["/sbin/manager", "<kernel>"], False, True, False),
        (Caller(99, SOMEBODY), [], False, False, True),
        (Caller(99, SOMEBODY, is_administrator=True), [], False, True, True),
    ],
)
def test_who_may_change_policy(
    caller: Caller, managers: list[str], non_root: bool, active: bool, expected: bool
) -> None:
    stage = Stage()
    stage.policy.managers, stage.policy.manage_by_non_root, stage.active = managers, non_root, active

    assert expected is stage.access.permits(caller)


def test_a_refusal_is_told_once_for_each_process() -> None:
    stage = Stage()
    for caller in (Caller(11, 0), Caller(11, 0), Caller(12, 0)):
        assert not stage.access.permits(caller)

    assert stage.said == [
        "<kernel> ( /bin/sh ) is not permitted to update policies.",
        "<unknown> ( <unknown> ) is not permitted to update policies.",
    ]


def test_the_owner_is_who_started_the_tree() -> None:
    stage = Stage()
    stage.owner = SOMEBODY

    assert stage.access.permits(Caller(10, SOMEBODY))


def test_what_is_remembered_of_refusals_has_an_end() -> None:
    stage = Stage()
    access = Access(stage, stage.said.append)
    for pid in range(20_000):
        assert not access.permits(Caller(pid, 0)) or pid == 10

    assert len(access._refused) < 5000
