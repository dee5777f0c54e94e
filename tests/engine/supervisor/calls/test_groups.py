"""Joining a process group that is sent signals to."""

from __future__ import annotations

import errno
import os

from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.engine.supervisor.calls import targets
from sekisho.policy.edit import ensure_domain


def test_whoever_is_about_to_join_counts_as_a_member(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
        process = enforcing.supervisor.tasks.add(other.pid, enforcing.domain, os.getpid())
        underway = enforcing.supervisor.underway

        assert "proceed" == enforcing.handle("setpgid", other.pid, os.getpgrp())
        (made,) = underway.calls.values()
        assert (frozenset([process]), os.getpgrp()) == (made.reached, made.group)
        assert other.pid in targets.group(enforcing.call("kill"), os.getpgrp()).pids
        assert "proceed" == enforcing.handle("setpgid", other.pid, 0)
        assert [made.group for made in underway.calls.values()] == [other.pid]


def test_a_group_that_is_sent_what_one_may_not_be_sent(enforcing: Stage) -> None:
    sender = ensure_domain(enforcing.policy, "<kernel> /sender")
    sender.profile = 3
    enforcing.supervisor.ownership.group_owns(12345, sender, [29])

    assert -errno.EPERM == enforcing.handle("setpgid", 0, 12345)
    assert [f"ipc signal 29 {DOMAIN}"] == enforcing.recorded


def test_nobody_is_the_kernels_to_tell(enforcing: Stage) -> None:
    assert "proceed" == enforcing.handle("setpgid", 0x7FFFFFFF, 0)
    assert {} == enforcing.supervisor.underway.calls
