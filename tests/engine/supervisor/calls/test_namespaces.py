"""Which namespaces a call makes or enters, and that forks are followed whatever policy says of them."""

from __future__ import annotations

import errno
import os
import struct

import pytest
from tests.engine.supervisor.pinned import opened
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls.guards import CLONE_FILES, CLONE_PARENT, CLONE_THREAD
from sekisho.engine.supervisor.calls.namespaces import ALL, KINDS
from sekisho.engine.supervisor.plan import PROCEED

NEWUSER, NEWPID, NEWNET, NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x80
EVERY = [f"capability use_{kind}_namespace" for kind in KINDS.values()]


def test_a_child_for_somebody_else(enforcing: Stage, learning: Stage) -> None:
    assert -errno.EPERM == enforcing.answer("clone", CLONE_PARENT)
    assert 0 == enforcing.process.credits
    assert PROCEED is enforcing.answer("clone", CLONE_PARENT | CLONE_THREAD)
    assert PROCEED is learning.answer("clone", CLONE_PARENT)


def test_clone3_is_not_there_where_something_is_enforced(enforcing: Stage, learning: Stage) -> None:
    assert -errno.ENOSYS == enforcing.answer("clone3", enforcing.pointer(bytes(64)), 64)

    assert PROCEED is learning.answer("clone3", learning.pointer(struct.pack("Q", CLONE_FILES) + bytes(56)), 64)
    assert (1, True) == (learning.process.credits, learning.process.shares_files)


@pytest.mark.parametrize("flag", KINDS)
def test_each_kind_by_its_flag(enforcing: Stage, flag: int) -> None:
    asked = [f"capability use_{KINDS[flag]}_namespace"]

    assert asked == enforcing.asks("unshare", flag)
    if flag != NEWTIME:
        assert asked == enforcing.asks("clone", flag | 17)


def test_an_exit_signal_is_no_namespace(enforcing: Stage) -> None:
    assert PROCEED is enforcing.answer("clone", NEWTIME)


def test_clone3_is_learned(learning: Stage) -> None:
    flags = learning.pointer(struct.pack("Q", NEWUSER | NEWTIME) + bytes(80))

    assert "proceed" == learning.handle("clone3", flags, 88)
    assert ["capability use_user_namespace", "capability use_time_namespace"] == learning.learned
    assert 1 == learning.process.credits


def test_a_fork_that_policy_refuses_is_none(enforcing: Stage) -> None:
    assert -errno.EPERM == enforcing.handle("clone", NEWUSER | 17)
    assert 0 == enforcing.process.credits
    enforcing.allow("capability use_user_namespace")

    assert "proceed" == enforcing.handle("clone", NEWUSER | 17)
    assert 1 == enforcing.process.credits


def test_a_fork_is_followed_where_nothing_is_looked_at(disabled: Stage) -> None:
    assert "proceed" == disabled.handle("clone", NEWPID | 17)
    assert (1, True) == (disabled.process.credits, disabled.process.nests)


def test_a_child_in_another_user_namespace_isnt_like_its_parent(enforcing: Stage) -> None:
    enforcing.allow("capability use_user_namespace")
    enforcing.supervisor.identity_of(enforcing.process, os.getpid())
    enforcing.handle("clone", NEWUSER)

    assert enforcing.process.fork_identity is None


def test_after_a_change_of_namespace_rights_are_read_anew(enforcing: Stage) -> None:
    enforcing.allow("capability use_network_namespace")
    enforcing.supervisor.identity_of(enforcing.process, os.getpid())
    assert "proceed" == enforcing.handle("unshare", NEWNET)

    assert {} == enforcing.process.identities


def test_what_unshare_does_besides_isnt_asked_for(enforcing: Stage) -> None:
    assert [] == enforcing.asks("unshare", CLONE_FILES)


def test_entering_is_asked_for_by_type_or_by_descriptor(enforcing: Stage) -> None:
    with opened("/proc/self/ns/net") as net, opened("/dev/null") as null:
        assert ["capability use_network_namespace"] == enforcing.asks("setns", net, 0)
        assert ["capability use_pid_namespace"] == enforcing.asks("setns", net, NEWPID)
        assert [] == enforcing.asks("setns", null, 0)
        enforcing.process.shares_files = True
        assert EVERY == enforcing.asks("setns", net, 0)


def test_children_of_a_new_pid_namespace_may_adopt(enforcing: Stage) -> None:
    enforcing.allow("capability use_pid_namespace")
    enforcing.handle("unshare", NEWPID)

    assert enforcing.process.nests and enforcing.supervisor.tasks.nested
    assert not enforcing.process.nested and not enforcing.process.reaper


def test_flags_are_told_apart() -> None:
    assert ALL.bit_count() == len(KINDS) == 8
