"""What can't be looked at is refused wherever anything is enforced."""

from __future__ import annotations

import errno
import os
import signal

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.stage import Stage, stage

from sekisho.engine.supervisor import strangers
from sekisho.engine.supervisor.tasks import Lost
from sekisho.policy.model import Mode

OPEN = (Mode.DISABLED, Mode.LEARNING, Mode.PERMISSIVE)


@pytest.mark.parametrize("mode", OPEN)
def test_a_foreign_interface_is_told_once(mode: Mode) -> None:
    with stage(mode) as made:
        for _ in range(2):
            strangers.foreign(made.supervisor, made.notification("getpgid", 0), made.process)

        assert ["proceed"] * 2 == made.listener.answers
        assert 1 == len(made.warnings)


def test_a_foreign_interface_isnt_there_where_something_is_enforced(enforcing: Stage) -> None:
    strangers.foreign(enforcing.supervisor, enforcing.notification("getpgid", 0), enforcing.process)

    assert [-errno.ENOSYS] == enforcing.listener.answers


@pytest.mark.parametrize("mode", OPEN)
def test_a_lost_process_goes_on(mode: Mode) -> None:
    with stage(mode) as made:
        strangers.lost(made.supervisor, made.notification("getpgid", 0), Lost("nobody knows it"))

        assert ["proceed"] == made.listener.answers
        assert "nobody knows it" in made.warnings[0]


def test_a_lost_process_is_killed_where_something_is_enforced(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
        notification = enforcing.notification("getpgid", 0)._replace(tid=other.pid)
        strangers.lost(enforcing.supervisor, notification, Lost("nobody knows it"))

        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(other.pid, 0)[1])
    assert [] == enforcing.listener.answers
