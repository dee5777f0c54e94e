from __future__ import annotations

import errno
import os
import struct

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.stage import ARCHITECTURE, Stage, stage

from sekisho.engine.supervisor.guards import CLONE_FILES, CLONE_PARENT, CLONE_THREAD
from sekisho.engine.supervisor.plan import PROCEED
from sekisho.policy.model import Mode

NEWUSER = 0x10000000


@pytest.mark.parametrize("name", ["fork", "vfork", "clone"])
def test_a_fork_is_a_child_owed(enforcing: Stage, name: str) -> None:
    if name not in ARCHITECTURE.numbers:
        return
    assert PROCEED is enforcing.answer(name, 0)
    assert PROCEED is enforcing.answer(name, 0)

    assert 2 == enforcing.process.credits
    assert not enforcing.process.shares_files


def test_a_thread_is_no_child_but_shares_descriptors(enforcing: Stage) -> None:
    assert PROCEED is enforcing.answer("clone", CLONE_THREAD | CLONE_FILES)

    assert 0 == enforcing.process.credits
    assert enforcing.process.shares_files


def test_what_one_child_is_born_with_is_known(enforcing: Stage) -> None:
    own = enforcing.supervisor.identity_of(enforcing.process, os.getpid())

    enforcing.answer("clone", 0)
    assert own is enforcing.process.fork_identity
    enforcing.answer("clone", 0)
    assert enforcing.process.fork_identity is None


def test_a_child_in_another_user_namespace_isnt_like_its_parent(enforcing: Stage) -> None:
    enforcing.supervisor.identity_of(enforcing.process, os.getpid())
    enforcing.answer("clone", NEWUSER)

    assert enforcing.process.fork_identity is None


def test_a_child_for_somebody_else(enforcing: Stage, learning: Stage) -> None:
    assert -errno.EPERM == enforcing.answer("clone", CLONE_PARENT)
    assert 0 == enforcing.process.credits
    assert PROCEED is enforcing.answer("clone", CLONE_PARENT | CLONE_THREAD)
    assert PROCEED is learning.answer("clone", CLONE_PARENT)


def test_clone3_is_not_there_where_something_is_enforced(enforcing: Stage, learning: Stage) -> None:
    assert -errno.ENOSYS == enforcing.answer("clone3", enforcing.pointer(bytes(64)), 64)

    assert PROCEED is learning.answer("clone3", learning.pointer(struct.pack("Q", CLONE_FILES) + bytes(56)), 64)
    assert (1, True) == (learning.process.credits, learning.process.shares_files)


@pytest.mark.parametrize("name", ["setuid", "setresgid", "capset", "unshare", "setns"])
def test_after_a_change_of_rights_they_are_read_anew(name: str) -> None:
    with stage(privileged=True) as made:
        made.supervisor.identity_of(made.process, os.getpid())
        assert PROCEED is made.answer(name, 0, 0)

        assert {} == made.process.identities


def test_ids_of_an_ordinary_supervisor_never_change(enforcing: Stage) -> None:
    assert ARCHITECTURE.numbers["setuid"] not in enforcing.supervisor.rows


def test_prctl(enforcing: Stage, learning: Stage) -> None:
    assert PROCEED is enforcing.answer("prctl", 36, 1)
    assert enforcing.process.reaper
    enforcing.answer("prctl", 36, 0)
    assert not enforcing.process.reaper
    assert -errno.EPERM == enforcing.answer("prctl", 35, 1)
    assert PROCEED is learning.answer("prctl", 35, 1)
    assert PROCEED is enforcing.answer("prctl", 4, 1)
    hidden = enforcing.answer("prctl", 4, 0)
    assert hidden == 0 if os.geteuid() else hidden is PROCEED


@pytest.mark.parametrize("name", ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"])
def test_nobody_signals_what_holds_it(enforcing: Stage, learning: Stage, name: str) -> None:
    for each in (enforcing, learning):
        each.supervisor.guard.add_process(4000000)

    assert -errno.EPERM == enforcing.answer(name, 4000000, 9, 9)
    assert PROCEED is enforcing.answer(name, 4000001, 9, 9)
    assert PROCEED is learning.answer(name, 4000000, 9, 9)


def test_groups_that_our_processes_are_in(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
        os.setpgid(other.pid, other.pid)
        enforcing.supervisor.guard.add_process(other.pid)

        assert -errno.EPERM == enforcing.answer("kill", -other.pid, 15)
        assert PROCEED is enforcing.answer("kill", 0, 15)
        assert -errno.EPERM == enforcing.answer("kill", -1, 15)
        enforcing.supervisor.signals_scoped = True
        assert PROCEED is enforcing.answer("kill", -1, 15)
        os.setpgid(other.pid, os.getpgid(0))
        assert -errno.EPERM == enforcing.answer("kill", 0, 15)


def test_a_signal_through_a_pidfd(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
        pidfd = os.pidfd_open(other.pid)
        assert PROCEED is enforcing.answer("pidfd_send_signal", pidfd, 9)
        enforcing.supervisor.guard.add_process(other.pid)

        assert -errno.EPERM == enforcing.answer("pidfd_send_signal", pidfd, 9)
        assert PROCEED is enforcing.answer("pidfd_send_signal", 999, 9)
        os.close(pidfd)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("ptrace", (16,)), ("process_vm_readv", ()), ("process_vm_writev", ())],
)
def test_only_the_own_process_is_reached_into(
    enforcing: Stage, learning: Stage, name: str, arguments: tuple[int, ...]
) -> None:
    assert PROCEED is enforcing.answer(name, *arguments, os.getpid())
    assert -errno.EPERM == enforcing.answer(name, *arguments, 1)
    assert PROCEED is learning.answer(name, *arguments, 1)


@pytest.mark.parametrize("name", ["pidfd_getfd", "process_madvise", "process_mrelease"])
def test_the_same_through_a_pidfd(enforcing: Stage, name: str) -> None:
    own, other = os.pidfd_open(os.getpid()), os.pidfd_open(os.getppid())

    assert PROCEED is enforcing.answer(name, own)
    assert -errno.EPERM == enforcing.answer(name, other)
    enforcing.process.shares_files = True
    assert -errno.EPERM == enforcing.answer(name, own)
    for fd in (own, other):
        os.close(fd)


@pytest.mark.parametrize(
    ("name", "place"), [("prlimit64", 0), ("sched_setaffinity", 0), ("setpriority", 1), ("kcmp", 0)]
)
def test_our_processes_keep_their_limits(enforcing: Stage, name: str, place: int) -> None:
    enforcing.supervisor.guard.add_process(4000000)

    assert -errno.EPERM == enforcing.answer(name, *[0] * place, 4000000)
    assert PROCEED is enforcing.answer(name, *[0] * place, os.getpid())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("io_uring_setup", errno.ENOSYS), ("io_uring_enter", errno.ENOSYS), ("io_uring_register", errno.ENOSYS),
        ("landlock_create_ruleset", errno.EOPNOTSUPP), ("seccomp", errno.EBUSY), ("bpf", errno.EPERM),
        ("perf_event_open", errno.EPERM), ("userfaultfd", errno.EPERM), ("finit_module", errno.EPERM),
        ("kexec_load", errno.EPERM), ("fsopen", errno.ENOSYS), ("fsmount", errno.ENOSYS),
    ],
)  # fmt: skip
def test_what_cant_be_held_is_refused(enforcing: Stage, learning: Stage, name: str, code: int) -> None:
    assert -code == enforcing.answer(name)
    assert PROCEED is learning.answer(name)


def test_what_is_let_through_unseen_is_told_once(learning: Stage) -> None:
    learning.answer("io_uring_setup")
    learning.answer("io_uring_setup")

    assert 1 == len(learning.warnings)
    assert "io_uring" in learning.warnings[0]


def test_leaving_settles_who_the_children_are() -> None:
    with stage(Mode.ENFORCING) as made, child(wait_for_word) as other:
        other.hear()
        made.process.credits = 1
        assert PROCEED is made.answer("exit_group", 0)

        assert made.domain is made.supervisor.tasks.by_tgid[other.pid].domain
        assert 0 == made.process.credits
