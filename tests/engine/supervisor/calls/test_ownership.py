"""Who may come to be sent signals later enters a domain only where whoever asked for that may send them there."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.decide.request import Facts
from sekisho.engine.supervisor.calls import owners
from sekisho.engine.supervisor.programs import entering

OTHER = "<kernel> /other"
ASKED = f"ipc signal 29 {OTHER}"


def enters(made: Stage) -> bool:
    """Whether this process may be in OTHER."""
    return entering.may_enter(made.supervisor, made.process, [os.getpid()], OTHER, Facts())


def becomes(made: Stage, line: str) -> None:
    """It may not without a line of policy that says so."""
    assert not enters(made)
    assert line in made.recorded
    made.allow(line)
    assert enters(made)


@pytest.fixture
def pipe() -> Iterator[int]:
    ends = os.pipe()
    yield ends[0]
    for fd in ends:
        os.close(fd)


def test_who_owns_nothing_goes_anywhere(enforcing: Stage) -> None:
    assert enters(enforcing)


def test_an_owner(enforcing: Stage, pipe: int) -> None:
    assert 0 == enforcing.handle("fcntl", pipe, owners.F_SETOWN, os.getpid())

    assert entering.may_enter(enforcing.supervisor, enforcing.process, [], DOMAIN, Facts())
    becomes(enforcing, ASKED)


def test_whoever_may_not_isnt_behind_it(enforcing: Stage, pipe: int) -> None:
    """A refused call has nothing to do with what another process may enter."""
    assert -errno.EPERM == enforcing.handle("fcntl", pipe, owners.F_SETOWN, 1)

    assert enters(enforcing)


def test_another_signal(enforcing: Stage, pipe: int) -> None:
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    assert 0 == enforcing.handle("fcntl", pipe, owners.F_SETSIG, signal.SIGUSR2)

    becomes(enforcing, f"ipc signal 12 {OTHER}")


def test_a_group(enforcing: Stage, pipe: int) -> None:
    with child(wait_for_word) as other:
        other.hear()
        os.setpgid(other.pid, other.pid)
        process = enforcing.supervisor.tasks.add(other.pid, enforcing.domain, os.getpid())
        enforcing.allow(f"ipc signal 29 {DOMAIN}")

        assert 0 == enforcing.handle("fcntl", pipe, owners.F_SETOWN, -other.pid)
        assert not entering.may_enter(enforcing.supervisor, process, [], OTHER, Facts())


def test_a_group_that_it_is_in(enforcing: Stage) -> None:
    enforcing.supervisor.ownership.group_owns(os.getpgrp(), enforcing.domain, [29])

    becomes(enforcing, ASKED)


def test_a_group_that_it_may_come_back_to(enforcing: Stage) -> None:
    enforcing.supervisor.ownership.group_owns(os.getpid(), enforcing.domain, [29])

    becomes(enforcing, ASKED)


def test_a_number_given_anew(enforcing: Stage) -> None:
    enforcing.supervisor.ownership.group_owns(os.getpid(), enforcing.domain, [29])
    enforcing.supervisor.ownership.born(enforcing.process)

    assert enters(enforcing)


@pytest.mark.parametrize("command", [owners.F_SETLEASE, owners.F_NOTIFY])
def test_what_makes_the_caller_the_owner(enforcing: Stage, pipe: int, command: int) -> None:
    assert "proceed" == enforcing.handle("fcntl", pipe, command, 0)
    enforcing.supervisor.ownership.chosen(enforcing.domain, 10)

    enforcing.allow(ASKED)
    becomes(enforcing, f"ipc signal 10 {OTHER}")


def test_a_lease_given_back(enforcing: Stage, pipe: int) -> None:
    assert "proceed" == enforcing.handle("fcntl", pipe, owners.F_SETLEASE, fcntl.F_UNLCK)

    assert enters(enforcing)


def test_the_end_of_its_parent(enforcing: Stage) -> None:
    assert "proceed" == enforcing.handle("prctl", 1, signal.SIGKILL)
    becomes(enforcing, f"ipc signal 9 {OTHER}")
    assert "proceed" == enforcing.handle("prctl", 1, signal.SIGUSR2)
    assert not enters(enforcing)
    assert "proceed" == enforcing.handle("prctl", 1, 0)
    assert enters(enforcing)


def test_that_is_a_threads_and_it_keeps_it(enforcing: Stage) -> None:
    ownership, process = enforcing.supervisor.ownership, enforcing.process
    ownership.dies_with_parent(1, process, signal.SIGKILL)
    assert enters(enforcing)

    ownership.executed(process, 1)
    assert not enters(enforcing)
    ownership.gone(process)
    assert enters(enforcing)


def test_learned(learning: Stage, pipe: int) -> None:
    assert "proceed" == learning.handle("fcntl", pipe, owners.F_SETOWN, os.getpid())

    assert enters(learning)
    assert [ASKED] == learning.learned


def test_signals_of_a_terminal_make_its_caller_the_owner_and_not_us(enforcing: Stage) -> None:
    """The kernel makes whoever sets the flag the owner: that is the supervisor, or a worker."""
    master, slave = os.openpty()
    try:
        plan = enforcing.plan("fcntl", master, fcntl.F_SETFL, os.O_RDWR | os.O_ASYNC)
        fcntl.fcntl(master, fcntl.F_SETSIG, signal.SIGURG)
        assert 0 == plan.perform()
        assert os.getpid() == fcntl.fcntl(master, fcntl.F_GETOWN)
        assert not enters(enforcing)
    finally:
        os.close(master)
        os.close(slave)
