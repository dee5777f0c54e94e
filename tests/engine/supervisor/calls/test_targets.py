"""Whom a number means to its caller."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.pinned import opened, pidfd_of
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import targets
from sekisho.engine.supervisor.calls.targets import Targets
from sekisho.engine.supervisor.system import libc

CLONE_NEWPID = 0x20000000


def test_a_child_that_hasnt_asked_for_anything_is_placed(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
        enforcing.process.credits = 1
        found = targets.one(enforcing.call("kill"), other.pid)

        assert [other.pid] == [process.tgid for process in found.processes]
        assert [DOMAIN] == found.domains(enforcing.call("kill"))


def test_what_cant_be_placed_counts_as_outside(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
        found = targets.one(enforcing.call("kill"), other.pid)

        assert (set(), True) == (found.processes, found.outside)
        assert ["<kernel>"] == found.domains(enforcing.call("kill"))


def test_outside_ours_and_oneself(enforcing: Stage) -> None:
    call = enforcing.call("kill")

    assert targets.one(call, 1).outside
    assert targets.one(call, os.getpid()) == Targets(own=True)
    assert [] == targets.one(call, os.getpid()).domains(call)
    enforcing.supervisor.guard.add_process(1)
    assert targets.one(call, 1) == Targets(ours=True)


@pytest.mark.parametrize("find", [targets.one, targets.group])
def test_nobody_is_an_error_lest_the_kernel_finds_somebody_born_meanwhile(
    enforcing: Stage, find: Callable[[Call, int], Targets]
) -> None:
    with pytest.raises(ProcessLookupError):
        find(enforcing.call("kill"), 0x7FFFFFFF)


def test_an_exec_under_way_counts_as_both(enforcing: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with child(wait_for_word) as other:
        other.hear()
        enforcing.process.credits = 1
        below = enforcing.policy.domains["<kernel>"]
        monkeypatch.setattr(enforcing.supervisor.executions, "destination", lambda _: below)

        assert ["<kernel>", DOMAIN] == targets.one(call := enforcing.call("kill"), other.pid).domains(call)


@pytest.mark.parametrize("known", [False, True])
def test_who_has_ended_counts_until_its_parent_takes_note(enforcing: Stage, known: bool) -> None:
    done = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert done.stdin is not None
    process = enforcing.supervisor.tasks.add(done.pid, enforcing.domain, os.getpid()) if known else None
    done.stdin.close()
    os.waitid(os.P_PID, done.pid, os.WEXITED | os.WNOWAIT)
    if process is not None:
        enforcing.supervisor.unwatch(process.pidfd)
        enforcing.supervisor.tasks.gone(process)
    call = enforcing.call("kill")

    assert ([DOMAIN] if known else []) == targets.one(call, done.pid).domains(call)
    done.wait(10)
    with pytest.raises(ProcessLookupError):
        targets.one(call, done.pid)


def test_only_the_last_dead_are_remembered(enforcing: Stage) -> None:
    tasks = enforcing.supervisor.tasks
    for number in range(-1000, 0):
        tasks.ended[number] = enforcing.domain
    with child(wait_for_word) as other:
        other.hear()
        placed = tasks.add(other.pid, enforcing.domain, os.getpid())
        enforcing.supervisor.unwatch(placed.pidfd)
        tasks.gone(placed)

    assert 1000 == len(tasks.ended)
    assert -1000 not in tasks.ended and other.pid in tasks.ended


def test_a_group(enforcing: Stage) -> None:
    with child(wait_for_word) as one, child(wait_for_word) as two:
        for each in (one, two):
            each.hear()
            os.setpgid(each.pid, one.pid)
        call = enforcing.call("kill")

        assert {one.pid, two.pid} == set(targets.members(call, one.pid))
        assert os.getpid() in targets.members(call, 0)


def test_pidfds(enforcing: Stage) -> None:
    call = enforcing.call("kill")
    with pidfd_of(os.getppid()) as parent, opened("/proc/self") as own, opened("/dev/null") as null:
        assert os.getppid() == targets.behind(call, parent) == targets.behind_ours(call, Fd(parent))
        assert os.getpid() == targets.behind(call, own)
        assert 0 == targets.behind(call, null)
        assert 0 == targets.behind(call, 999)


def test_the_pidfd_of_somebody_dead(enforcing: Stage) -> None:
    done = subprocess.Popen(["true"])
    with pidfd_of(done.pid) as pidfd:
        done.wait(10)

        assert 0 == targets.behind(enforcing.call("kill"), pidfd)


def _in_a_pid_namespace(channel: socket.socket) -> None:
    """A play: this process has a child that is number 1 there, and has one that is number 2."""
    libc.syscall("unshare", CLONE_NEWPID)
    first = os.fork()
    if not first:
        second = os.fork()
        if not second:
            channel.recv(100)
            os._exit(0)
        channel.send(b"ready")
        channel.recv(100)
        os._exit(0)
    os.waitpid(first, 0)


@pytest.mark.root
def test_numbers_in_a_pid_namespace(enforcing: Stage) -> None:
    with child(_in_a_pid_namespace) as other:
        assert b"ready" == other.hear()
        first = _only_child(other.pid)
        second = _only_child(first)
        enforcing.process.nested = True
        call = enforcing.call("kill")

        assert [2] == targets.numbered(call, 2), "the caller itself isn't in there"
        call.notification = call.notification._replace(tid=first)
        assert [first] == targets.numbered(call, 1)
        assert [second] == targets.numbered(call, 2)
        assert [] == targets.numbered(call, os.getpid())
        assert [] == targets.members(call, 999)
        other.channel.send(b"go")
        other.channel.send(b"go")


def _only_child(pid: int) -> int:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        (only,) = map(int, children.read().split())
    return only
