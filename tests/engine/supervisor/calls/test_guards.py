from __future__ import annotations

import errno
import os
import struct

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.pinned import opened, pidfd_of
from tests.engine.supervisor.stage import ARCHITECTURE, Stage, stage

from sekisho.engine.supervisor import table
from sekisho.engine.supervisor.calls import guards, owners
from sekisho.engine.supervisor.calls.guards import CLONE_FILES, CLONE_THREAD
from sekisho.engine.supervisor.plan import PROCEED
from sekisho.policy.model import Config, Mode


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
    assert not enforcing.process.shares_apart


def test_a_child_may_share_descriptors_as_well(enforcing: Stage) -> None:
    assert PROCEED is enforcing.answer("clone", CLONE_FILES)

    assert enforcing.process.shares_files
    assert enforcing.process.shares_apart
    assert enforcing.supervisor.tasks.sharing
    enforcing.process.forget_image(same_rights=True)
    assert not enforcing.process.shares_apart


def test_a_thread_may_fork_while_its_process_does_something_else(enforcing: Stage) -> None:
    assert PROCEED is enforcing.answer("clone", CLONE_THREAD)
    enforcing.process.credits = 1

    enforcing.supervisor.tasks.settle(enforcing.process)

    assert 1 == enforcing.process.credits


def test_what_one_child_is_born_with_is_known(enforcing: Stage) -> None:
    own = enforcing.supervisor.identity_of(enforcing.process, os.getpid())

    enforcing.answer("clone", 0)
    assert own is enforcing.process.fork_identity
    enforcing.answer("clone", 0)
    assert enforcing.process.fork_identity is None


@pytest.mark.parametrize("name", ["setuid", "setresgid", "capset"])
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


def guarded(made: Stage, name: str, *arguments: int | bytes) -> int:
    """What the guard of the row of ``name`` answers."""
    guard = made.supervisor.rows[ARCHITECTURE.numbers[name]].guard
    assert guard is not None
    return guards.ask(guard, made.call(name, *arguments))


@pytest.mark.parametrize("name", ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"])
def test_nobody_signals_what_holds_it(enforcing: Stage, learning: Stage, name: str) -> None:
    for each in (enforcing, learning):
        each.supervisor.guard.add_process(4000000)
    enforcing.allow("ipc signal 9 <kernel>")

    assert -errno.EPERM == guarded(enforcing, name, 4000000, 9, 9)
    assert -errno.EPERM == enforcing.handle(name, 4000000, 9, 9)
    assert 0 == guarded(enforcing, name, 4000001, 9, 9)
    assert "proceed" == learning.handle(name, 4000000, 9, 9)


def test_groups_that_our_processes_are_in(enforcing: Stage) -> None:
    profile = enforcing.policy.namespaces["<kernel>"].profiles[3]
    profile.configs["ipc"] = Config(Mode.DISABLED, False, False)
    with child(wait_for_word) as other:
        other.hear()
        os.setpgid(other.pid, other.pid)
        enforcing.supervisor.guard.add_process(other.pid)

        assert -errno.EPERM == guarded(enforcing, "kill", -other.pid, 15)
        assert 0 == guarded(enforcing, "kill", 0, 15)
        assert -errno.EPERM == guarded(enforcing, "kill", -1, 15)
        enforcing.supervisor.signals_scoped = True
        assert 0 == guarded(enforcing, "kill", -1, 15)
        os.setpgid(other.pid, os.getpgid(0))
        assert -errno.EPERM == guarded(enforcing, "kill", 0, 15)


def test_a_pidfd_of_ours(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
        os.setpgid(other.pid, other.pid)
        with pidfd_of(other.pid) as pidfd:
            assert 0 == guarded(enforcing, "pidfd_send_signal", pidfd, 9)
            enforcing.supervisor.guard.add_process(other.pid)

            assert -errno.EPERM == guarded(enforcing, "pidfd_send_signal", pidfd, 9)
            assert -errno.EPERM == guarded(enforcing, "pidfd_getfd", pidfd, 1)
            assert 0 == guarded(enforcing, "pidfd_send_signal", 999, 9)


def test_a_directory_of_proc_as_pidfd(enforcing: Stage) -> None:
    with child(wait_for_word) as other, opened(f"/proc/{other.pid}") as folder:
        other.hear()
        enforcing.supervisor.guard.add_process(other.pid)

        assert -errno.EPERM == guarded(enforcing, "pidfd_send_signal", folder, 9)


def test_nor_makes_it_the_owner_of_a_descriptor(enforcing: Stage) -> None:
    enforcing.supervisor.guard.add_process(4000000)

    assert -errno.EPERM == guarded(enforcing, "fcntl", 0, owners.F_SETOWN, 4000000)
    assert 0 == guarded(enforcing, "fcntl", 0, owners.F_SETOWN, 4000001)
    owner = enforcing.pointer(struct.pack("ii", 1, 4000000))
    assert -errno.EPERM == guarded(enforcing, "fcntl", 0, owners.F_SETOWN_EX, owner)
    assert -errno.EPERM == guarded(
        enforcing, "ioctl", 0, owners.FIOSETOWN, enforcing.pointer(struct.pack("i", 4000000))
    )
    assert 0 == guarded(enforcing, "fcntl", 0, 4, 4000000)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("ptrace", (16,)), ("ptrace", (0x4206,)), ("process_vm_readv", ()), ("process_vm_writev", ())],
)
def test_nobody_reaches_into_what_holds_it(enforcing: Stage, name: str, arguments: tuple[int, ...]) -> None:
    enforcing.supervisor.guard.add_process(4000000)

    assert -errno.EPERM == guarded(enforcing, name, *arguments, 4000000)
    assert 0 == guarded(enforcing, name, *arguments, 4000001)


def test_nobody_is_traced_by_what_holds_it(enforcing: Stage) -> None:
    assert 0 == guarded(enforcing, "ptrace", 0)
    enforcing.supervisor.guard.add_process(os.getppid())

    assert -errno.EPERM == guarded(enforcing, "ptrace", 0)


@pytest.mark.parametrize("name", ["process_madvise", "process_mrelease"])
def test_only_the_own_process_by_pidfd(enforcing: Stage, learning: Stage, name: str) -> None:
    with pidfd_of(os.getpid()) as own, pidfd_of(os.getppid()) as other:
        assert PROCEED is enforcing.answer(name, own)
        assert -errno.EPERM == enforcing.answer(name, other)
        assert PROCEED is learning.answer(name, other)
        enforcing.process.shares_files = True
        assert -errno.EPERM == enforcing.answer(name, own)


@pytest.mark.parametrize(("name", "place"), [("prlimit64", 0), ("sched_setaffinity", 0), ("kcmp", 0)])
def test_our_processes_keep_their_limits(enforcing: Stage, name: str, place: int) -> None:
    enforcing.supervisor.guard.add_process(4000000)

    assert -errno.EPERM == enforcing.answer(name, *[0] * place, 4000000)
    assert PROCEED is enforcing.answer(name, *[0] * place, os.getpid())


@pytest.mark.parametrize(("name", "first"), [("setpriority", 0), ("ioprio_set", 1)])
def test_our_processes_keep_their_priority(enforcing: Stage, name: str, first: int) -> None:
    guard = guards.priority(first)

    with child(wait_for_word) as other:
        other.hear()
        os.setpgid(other.pid, other.pid)
        enforcing.supervisor.guard.add_process(other.pid)
        for kind, number, answer in (
            (first, other.pid, -errno.EPERM),
            (first, 0, 0),
            (first + 1, other.pid, -errno.EPERM),
            (first + 1, 0, 0),
            (first + 2, 0, -errno.EPERM),
            (first + 2, os.getuid() + 12345, 0),
        ):
            assert answer == guards.ask(guard, enforcing.call(name, kind, number, 5)), (kind, number)


def test_a_guard_that_fails_refuses(enforcing: Stage) -> None:
    def broken(_: object) -> int:
        raise ValueError("broken")

    def failing(_: object) -> int:
        raise OSError(errno.ESRCH, "gone")

    assert -errno.EPERM == guards.ask(broken, enforcing.call("kill", 1, 1))
    assert "broken" in enforcing.warnings[0]
    assert -errno.ESRCH == guards.ask(failing, enforcing.call("kill", 1, 1))


def test_a_guard_holds_where_anything_is_enforced_and_policy_says_nothing_of_the_call(enforcing: Stage) -> None:
    profile = enforcing.policy.namespaces["<kernel>"].profiles[3]
    profile.configs["ipc"] = Config(Mode.DISABLED, False, False)
    enforcing.supervisor.guard.add_process(4000000)

    assert -errno.EPERM == enforcing.handle("kill", 4000000, 9)
    assert "proceed" == enforcing.handle("kill", 4000001, 9)
    assert [] == enforcing.recorded


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("landlock_create_ruleset", errno.EOPNOTSUPP), ("seccomp", errno.EBUSY), ("fsopen", errno.ENOSYS),
        ("fsmount", errno.ENOSYS), ("swapon", errno.EPERM), ("uselib", errno.EPERM),
        ("ioperm", errno.EPERM), ("iopl", errno.EPERM),
    ],
)  # fmt: skip
def test_what_cant_be_held_is_refused(enforcing: Stage, learning: Stage, name: str, code: int) -> None:
    if name not in ARCHITECTURE.numbers:
        return
    assert -code == enforcing.answer(name)
    assert PROCEED is learning.answer(name)


def test_leaving_settles_who_the_children_are() -> None:
    with stage(Mode.ENFORCING) as made, child(wait_for_word) as other:
        other.hear()
        made.process.credits = 1
        assert PROCEED is made.answer("exit_group", 0)

        assert made.domain is made.supervisor.tasks.by_tgid[other.pid].domain
        assert 0 == made.process.credits


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("prlimit64", (1,)),
        ("sched_setaffinity", (1,)),
        ("move_pages", (1,)),
        ("ioprio_set", (1, 1)),
        ("kcmp", (1, os.getpid())),
        ("kcmp", (os.getpid(), 1)),
    ],
)
def test_workers_that_the_filter_cannot_know_are_out_of_reach(
    enforcing: Stage, name: str, arguments: tuple[int, ...]
) -> None:
    assert PROCEED is enforcing.answer(name, *arguments)
    enforcing.supervisor.guard.add_worker(1)

    assert -errno.EPERM == enforcing.handle(name, *arguments)
    where = table.by_number(table.rows(privileged=False), ARCHITECTURE)[ARCHITECTURE.numbers[name]].where
    assert not where or any(each.nonzero and arguments[each.arg] for each in where)
