"""Whose domains a signal is asked for, and who sends it."""

from __future__ import annotations

import errno
import os
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.engine.supervisor.forked import Child, child, wait_for_word
from tests.engine.supervisor.pinned import pidfd_of
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.engine.supervisor.plan import PROCEED
from sekisho.policy.edit import ensure_domain

BELOW = f"{DOMAIN} /child"
TERM = signal.SIGTERM


@contextmanager
def placed(made: Stage, name: str = BELOW) -> Iterator[Child]:
    """A child in the domain ``name`` and a process group of its own."""
    with child(wait_for_word) as other:
        other.hear()
        os.setpgid(other.pid, other.pid)
        made.supervisor.tasks.add(other.pid, ensure_domain(made.policy, name), os.getpid())
        yield other


@pytest.mark.parametrize("name", ["kill", "tkill", "rt_sigqueueinfo"])
def test_another_process(enforcing: Stage, name: str) -> None:
    with placed(enforcing) as other:
        assert [f"ipc signal 15 {BELOW}"] == enforcing.asks(name, other.pid, TERM)


@pytest.mark.parametrize("name", ["tgkill", "rt_tgsigqueueinfo"])
def test_a_thread_of_another_process(enforcing: Stage, name: str) -> None:
    with placed(enforcing) as other:
        assert [f"ipc signal 15 {BELOW}"] == enforcing.asks(name, other.pid, other.pid, TERM)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("kill", (os.getpid(), TERM)),
        ("tkill", (os.getpid(), TERM)),
        ("tgkill", (os.getpid(), os.getpid(), TERM)),
        ("rt_sigqueueinfo", (os.getpid(), TERM)),
    ],
)
def test_the_own_process_is_never_asked_for(enforcing: Stage, name: str, arguments: tuple[int, ...]) -> None:
    assert PROCEED is enforcing.answer(name, *arguments)


def test_nor_is_signal_0_nor_what_is_no_signal(enforcing: Stage) -> None:
    with placed(enforcing) as other:
        for sig in (0, 65, -1):
            assert PROCEED is enforcing.answer("kill", other.pid, sig)


def test_somebody_outside(enforcing: Stage) -> None:
    assert ["ipc signal 15 <kernel>"] == enforcing.asks("kill", 1, TERM)


def test_nobody(enforcing: Stage) -> None:
    assert -errno.ESRCH == enforcing.handle("kill", 0x7FFFFFFF, TERM)
    assert -errno.ESRCH == enforcing.handle("kill", -0x7FFFFFFF, TERM)


def test_a_group_is_asked_for_domain_by_domain(enforcing: Stage) -> None:
    with placed(enforcing) as one, placed(enforcing, f"{DOMAIN} /a") as two, placed(enforcing) as three:
        for each in (two, three):
            os.setpgid(each.pid, one.pid)

        assert [f"ipc signal 15 {DOMAIN} /a", f"ipc signal 15 {BELOW}"] == enforcing.asks("kill", -one.pid, TERM)


def test_the_own_group(enforcing: Stage) -> None:
    with placed(enforcing) as other:
        os.setpgid(other.pid, os.getpgid(0))

        assert f"ipc signal 15 {BELOW}" in enforcing.asks("kill", 0, TERM)


def test_a_group_that_ours_are_in_is_signalled_without_them(enforcing: Stage) -> None:
    enforcing.allow(f"ipc signal 9 {DOMAIN}")
    with placed(enforcing) as one, placed(enforcing) as ours:
        os.setpgid(ours.pid, one.pid)
        enforcing.supervisor.guard.add_process(ours.pid)

        assert 0 == enforcing.handle("kill", -one.pid, signal.SIGKILL)
        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(one.pid, 0)[1])
        assert (0, 0) == os.waitpid(ours.pid, os.WNOHANG)
        os.setpgid(ours.pid, ours.pid)
        assert -errno.EPERM == enforcing.handle("kill", -ours.pid, signal.SIGKILL)


def test_everybody_is_somebody_outside_too(enforcing: Stage) -> None:
    with placed(enforcing):
        assert ["ipc signal 15 <kernel>", f"ipc signal 15 {BELOW}"] == enforcing.asks("kill", -1, TERM)


def test_a_domain_and_all_below_it(enforcing: Stage) -> None:
    enforcing.allow(f"ipc signal 15 {DOMAIN}")
    with placed(enforcing) as other:
        assert "proceed" == enforcing.handle("kill", other.pid, TERM)
        assert -errno.EPERM == enforcing.handle("kill", other.pid, signal.SIGKILL)
        assert [f"ipc signal 9 {BELOW}"] == enforcing.recorded


def test_learned(learning: Stage) -> None:
    with placed(learning) as other:
        assert "proceed" == learning.handle("kill", other.pid, TERM)
        assert "proceed" == learning.handle("kill", 1, 0)

    assert [f"ipc signal 15 {BELOW}"] == learning.learned


def test_by_pidfd(enforcing: Stage) -> None:
    with placed(enforcing) as other, pidfd_of(other.pid) as pidfd, pidfd_of(os.getpid()) as own:
        assert [f"ipc signal 15 {BELOW}"] == enforcing.asks("pidfd_send_signal", pidfd, TERM, 0, 0)
        assert [f"ipc signal 15 {BELOW}"] == enforcing.asks("pidfd_send_signal", pidfd, TERM, 0, 4)
        assert PROCEED is enforcing.answer("pidfd_send_signal", own, TERM, 0, 0)
        assert PROCEED is enforcing.answer("pidfd_send_signal", 999, TERM, 0, 0)


def test_a_pidfd_that_may_be_swapped_is_used_by_us(enforcing: Stage) -> None:
    enforcing.process.shares_files = True
    enforcing.allow(f"ipc signal 9 {BELOW}")
    with placed(enforcing) as other, pidfd_of(other.pid) as pidfd:
        assert 0 == enforcing.handle("pidfd_send_signal", pidfd, signal.SIGKILL, 0, 0)
        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(other.pid, 0)[1])


def test_ours_by_such_a_pidfd(enforcing: Stage) -> None:
    enforcing.process.shares_files = True
    with placed(enforcing) as other, pidfd_of(other.pid) as pidfd:
        enforcing.supervisor.guard.add_process(other.pid)

        assert -errno.EPERM == enforcing.answer("pidfd_send_signal", pidfd, TERM, 0, 0)


@pytest.mark.parametrize("name", ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"])
def test_out_of_a_tree_that_is_shut_off_it_is_sent_in_the_callers_place(enforcing: Stage, name: str) -> None:
    enforcing.allow("ipc signal 9 <kernel>")
    enforcing.supervisor.signals_scoped = True
    threads = 2 if "tg" in name else 1
    information = enforcing.pointer(struct.pack("iii", signal.SIGKILL, 0, -1) + bytes(116))
    with child(wait_for_word) as other:
        other.hear()
        assert 0 == enforcing.handle(name, *[other.pid] * threads, signal.SIGKILL, information)
        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(other.pid, 0)[1])


def test_signal_0_out_of_such_a_tree(enforcing: Stage) -> None:
    assert PROCEED is enforcing.answer("kill", 1, 0)
    enforcing.supervisor.signals_scoped = True

    assert 0 == enforcing.handle("kill", os.getppid(), 0)
    assert [] == enforcing.recorded
