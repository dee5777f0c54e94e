"""Calls that were let go on: whom they reach stays in its domain until they are over for sure."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.engine.supervisor.calls import underway
from sekisho.engine.supervisor.calls.underway import Underway
from sekisho.engine.supervisor.plan import LATER
from sekisho.engine.supervisor.programs.executions import _Pending
from sekisho.engine.supervisor.system.notify import Notification
from sekisho.engine.supervisor.tasks import Process
from sekisho.policy.edit import ensure_domain

BELOW = f"{DOMAIN} /child"


def place(made: Stage, pid: int) -> Process:
    """Process ``pid`` is in a domain below."""
    return made.supervisor.tasks.add(pid, ensure_domain(made.policy, BELOW), os.getpid())


class Seen:
    """What became of the calls."""

    def __init__(self) -> None:
        self.busy: set[int] = set()
        """Tasks that are still in their calls."""
        self.stopped: list[int] = []
        self.again: list[Notification] = []


@pytest.fixture
def seen(enforcing: Stage, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Callers are busy if they are said to be, and needn't really be stopped."""
    made = Seen()
    monkeypatch.setattr(underway, "_left", lambda tgid, tid, number: tid not in made.busy)
    monkeypatch.setattr(enforcing.supervisor.executions, "watch", lambda tid, process: True)
    monkeypatch.setattr(
        "sekisho.engine.supervisor.system.libc.ptrace", lambda request, tid, *more: made.stopped.append(tid)
    )
    monkeypatch.setattr(enforcing.supervisor, "take", made.again.append)
    return made


def let_go(made: Stage, tid: int, process: Process, *reached: Process, everybody: bool = False) -> None:
    """Task ``tid`` of ``process`` is in a kill(2) that reaches these."""
    call = made.call("kill", 1, 1)
    call.notification, call.process = call.notification._replace(tid=tid), process
    made.supervisor.underway.let_go(call, None if everybody else reached)


@pytest.mark.parametrize("everybody", [False, True])
def test_an_exec_waits_until_nobody_reaches_it(enforcing: Stage, seen: Seen, everybody: bool) -> None:
    with child(wait_for_word) as other:
        sender = place(enforcing, other.pid)
        for tid in (other.pid, 1):
            let_go(enforcing, tid, sender, enforcing.process, everybody=everybody)
        seen.busy = {other.pid, 1}
        held = enforcing.supervisor.underway

        assert LATER is enforcing.answer("execve", b"/bin/true", 0, 0)
        assert sorted([other.pid, 1]) == sorted(seen.stopped)
        held.over(other.pid)
        held.look()
        assert [] == seen.again
        held.over(1)
        held.look()
        assert 1 == len(seen.again)
        assert not held.parks(seen.again[0], enforcing.process)


def test_nobody_is_stopped_who_is_seen_to_be_out_of_it(enforcing: Stage, seen: Seen) -> None:
    with child(wait_for_word) as other:
        let_go(enforcing, other.pid, place(enforcing, other.pid), enforcing.process)

        assert not enforcing.supervisor.underway.parks(enforcing.notification("execve"), enforcing.process)
        assert [] == seen.stopped


def test_others_dont_wait(enforcing: Stage, seen: Seen) -> None:
    with child(wait_for_word) as one, child(wait_for_word) as two:
        sender, receiver = place(enforcing, one.pid), place(enforcing, two.pid)
        let_go(enforcing, one.pid, sender, receiver)
        seen.busy = {one.pid}
        held = enforcing.supervisor.underway

        assert not held.parks(enforcing.notification("execve"), enforcing.process)
        assert held.parks(enforcing.notification("execve"), receiver)
        let_go(enforcing, one.pid, sender, everybody=True)
        assert not held.parks(enforcing.notification("execve"), sender)


def test_whoever_asks_again_has_finished(enforcing: Stage) -> None:
    let_go(enforcing, os.getpid(), enforcing.process, enforcing.process)

    enforcing.handle("fork")

    assert {} == enforcing.supervisor.underway.calls


def test_what_a_task_is_seen_to_do() -> None:
    """In the call itself, or perhaps; in another one; stopped; ended."""
    with child(wait_for_word) as other:
        other.hear()
        time.sleep(0.05)
        inside = int(Path(f"/proc/{other.pid}/syscall").read_text().split()[0])

        assert not underway._left(other.pid, other.pid, inside)
        assert underway._left(other.pid, other.pid, inside + 1)
        os.kill(other.pid, signal.SIGSTOP)
        os.waitpid(other.pid, os.WUNTRACED)
        assert underway._left(other.pid, other.pid, inside)
        os.kill(other.pid, signal.SIGKILL)
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert underway._left(other.pid, other.pid, inside)
    assert underway._left(other.pid, other.pid, inside)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(underway, "_PATIENCE", 0.0)
    monkeypatch.setattr(underway, "_POLL", 0.0)


@pytest.mark.usefixtures("short")
def test_a_caller_that_cant_be_stopped_and_doesnt_finish_is_killed(
    enforcing: Stage, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    with child(wait_for_word) as other:
        let_go(enforcing, other.pid, place(enforcing, other.pid), enforcing.process)
        seen.busy = {other.pid}
        monkeypatch.setattr(enforcing.supervisor.executions, "watch", lambda tid, process: False)

        assert LATER is enforcing.answer("execve", b"/bin/true", 0, 0)
        time.sleep(0.01)
        enforcing.supervisor.underway.look()

        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(other.pid, 0)[1])
        assert any("isn't over" in warning for warning in enforcing.warnings)


def test_a_call_on_somebody_dead_that_lasts_too_long(enforcing: Stage, seen: Seen) -> None:
    """Its number might come back as another's."""
    with child(wait_for_word) as caller, child(wait_for_word) as target:
        for each in (caller, target):
            each.hear()
        process = place(enforcing, target.pid)
        held: Underway = enforcing.supervisor.underway
        let_go(enforcing, caller.pid, place(enforcing, caller.pid), process)
        seen.busy = {caller.pid}
        for _ in range(1000):
            held.forked()
        os.kill(caller.pid, 0)
        enforcing.supervisor.unwatch(process.pidfd)
        enforcing.supervisor.tasks.gone(process)

        for _ in range(1000):
            held.forked()
        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(caller.pid, 0)[1])


def test_who_has_ended_is_no_child_that_nobody_has_seen(enforcing: Stage) -> None:
    """Signalling a zombie takes nothing from a child that is born meanwhile."""
    enforcing.allow(f"ipc signal 10 {DOMAIN}")
    enforcing.process.credits = 1
    with child(wait_for_word) as other:
        other.hear()
        os.kill(other.pid, signal.SIGKILL)
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)

        assert "proceed" == enforcing.handle("kill", other.pid, 10)
    assert 1 == enforcing.process.credits


def test_a_thread_that_ends_while_another_one_executes(enforcing: Stage) -> None:
    """What was let through is verified all the same."""
    executions = enforcing.supervisor.executions
    with child(wait_for_word) as other:
        process = place(enforcing, other.pid)
        call = enforcing.call("execve", b"/bin/true", 0, 0)
        call.process = process
        executions._seized[call.tid], executions._seized[1] = process.tgid, process.tgid
        executions._pending[process.tgid] = _Pending(call.tid, enforcing.domain, (0, 0), None, (), None, handler=False)

        executions.ended(1)
        assert executions.destination(process.tgid) is enforcing.domain
        executions.ended(call.tid)
        assert executions.destination(process.tgid) is None
