"""Reaching into another process: what is asked, and that the other one stays what it was meanwhile."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.pinned import opened, pidfd_of
from tests.engine.supervisor.stage import ARCHITECTURE, DOMAIN, Stage
from tests.engine.supervisor.supervised import Supervised

from sekisho.engine.supervisor.calls.reaching import ATTACH, SEIZE, TRACEME, Reaching
from sekisho.engine.supervisor.plan import LATER, PROCEED
from sekisho.engine.supervisor.system.notify import Notification
from sekisho.engine.supervisor.tasks import Process
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Mode

BELOW = f"{DOMAIN} /child"


def place(made: Stage, pid: int) -> Process:
    """Process ``pid`` is in a domain below."""
    return made.supervisor.tasks.add(pid, ensure_domain(made.policy, BELOW), os.getpid())


@pytest.mark.parametrize("request_", [ATTACH, SEIZE])
def test_tracing_asks_for_both(enforcing: Stage, request_: int) -> None:
    with child(wait_for_word) as other:
        other.hear()
        place(enforcing, other.pid)

        assert ["capability SYS_PTRACE", f"ipc ptrace {BELOW}"] == enforcing.asks("ptrace", request_, other.pid)


@pytest.mark.parametrize(("name", "verb"), [("process_vm_readv", "read"), ("process_vm_writev", "write")])
def test_memory(enforcing: Stage, name: str, verb: str) -> None:
    with child(wait_for_word) as other:
        other.hear()
        place(enforcing, other.pid)

        assert [f"ipc {verb}_memory {BELOW}"] == enforcing.asks(name, other.pid)
    assert [f"ipc {verb}_memory <kernel>"] == enforcing.asks(name, 1)


@pytest.mark.parametrize("name", ["process_vm_readv", "process_vm_writev"])
def test_the_own_process_and_nobody(enforcing: Stage, name: str) -> None:
    assert PROCEED is enforcing.answer(name, os.getpid())
    assert -errno.ESRCH == enforcing.handle(name, 0x7FFFFFFF)


@pytest.mark.parametrize("name", ["process_vm_readv", "process_vm_writev"])
def test_another_thread_of_ones_own_may_be_somebody_else_by_then(enforcing: Stage, learning: Stage, name: str) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert thread.native_id is not None
        assert -errno.EPERM == enforcing.handle(name, thread.native_id)
        assert "proceed" == learning.handle(name, thread.native_id)
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(("name", "first"), [("process_vm_readv", ()), ("process_vm_writev", ()), ("ptrace", (SEIZE,))])
def test_who_has_ended_is_not_reached(enforcing: Stage, name: str, first: tuple[int, ...]) -> None:
    with child(wait_for_word) as other:
        other.hear()
        os.kill(other.pid, signal.SIGKILL)
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        enforcing.supervisor.tasks.ended[other.pid] = enforcing.domain

        assert -errno.ESRCH == enforcing.handle(name, *first, other.pid)


def test_descriptors(enforcing: Stage) -> None:
    with child(wait_for_word) as other, pidfd_of(other.pid) as pidfd, pidfd_of(os.getpid()) as own:
        other.hear()
        place(enforcing, other.pid)

        assert [f"ipc get_descriptor {BELOW}"] == enforcing.asks("pidfd_getfd", pidfd, 0)
        assert PROCEED is enforcing.answer("pidfd_getfd", own, 0)
        assert PROCEED is enforcing.answer("pidfd_getfd", 999, 0)


def test_descriptors_by_a_pidfd_that_may_be_swapped(enforcing: Stage) -> None:
    enforcing.process.shares_files = True
    enforcing.allow(f"ipc get_descriptor {BELOW}")
    with child(wait_for_word) as other, pidfd_of(other.pid) as pidfd, opened("/dev/zero") as zero:
        other.hear()
        place(enforcing, other.pid)

        assert ("fd", os.readlink(f"/proc/{other.pid}/fd/1"), True) == enforcing.handle("pidfd_getfd", pidfd, 1)
        with pidfd_of(os.getpid()) as own:
            assert ("fd", "/dev/zero", True) == enforcing.handle("pidfd_getfd", own, zero)
        enforcing.supervisor.guard.add_process(other.pid)
        assert -errno.EPERM == enforcing.answer("pidfd_getfd", pidfd, 1)


def test_whoever_becomes_the_tracer_is_asked(enforcing: Stage, learning: Stage) -> None:
    for made in (enforcing, learning):
        made.supervisor.tasks.add(os.getppid(), made.domain, 0)

    assert -errno.EPERM == enforcing.handle("ptrace", TRACEME)
    enforcing.allow("capability SYS_PTRACE", f"ipc ptrace {DOMAIN}")
    assert "proceed" == enforcing.handle("ptrace", TRACEME)
    assert "proceed" == learning.handle("ptrace", TRACEME)
    assert ["capability SYS_PTRACE", f"ipc ptrace {DOMAIN}"] == learning.learned


def test_nobody_of_the_tree_becomes_the_tracer(enforcing: Stage, learning: Stage) -> None:
    assert -errno.EPERM == enforcing.answer("ptrace", TRACEME)
    assert PROCEED is learning.answer("ptrace", TRACEME)


@pytest.fixture
def reaching(enforcing: Stage, monkeypatch: pytest.MonkeyPatch) -> Reaching:
    """Reaching where the caller (this process) needn't really be stopped."""
    monkeypatch.setattr(enforcing.supervisor.executions, "seize", lambda call: True)
    monkeypatch.setattr("sekisho.engine.supervisor.system.libc.ptrace", lambda *arguments: 0)
    return enforcing.supervisor.executions.reaching


def test_an_exec_waits_until_nobody_reaches_in(
    enforcing: Stage, reaching: Reaching, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[Notification] = []
    monkeypatch.setattr(enforcing.supervisor, "take", again.append)
    caller, other = enforcing.call("process_vm_readv", 1), enforcing.call("process_vm_readv", 1)
    other.notification = other.notification._replace(tid=1)
    assert PROCEED is reaching.begin(caller, enforcing.process)
    assert PROCEED is reaching.begin(other, enforcing.process)

    assert LATER is enforcing.answer("execve", b"/bin/true", 0, 0)
    reaching.over(caller.tid)
    assert [] == again
    reaching.over(1)
    assert ["execve"] == [_name(each.nr) for each in again]
    assert not reaching.parks(caller)


def _name(number: int) -> str:
    return next(name for name, each in ARCHITECTURE.numbers.items() if each == number)


def test_who_cant_be_stopped_doesnt_reach_in(enforcing: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enforcing.supervisor.executions, "seize", lambda call: False)
    with child(wait_for_word) as other:
        other.hear()
        place(enforcing, other.pid)
        enforcing.allow(f"ipc read_memory {BELOW}")

        assert -errno.EPERM == enforcing.handle("process_vm_readv", other.pid)


def test_a_call_on_somebody_dead_that_lasts_too_long(enforcing: Stage, reaching: Reaching) -> None:
    """Its number might come back as another's."""
    with child(wait_for_word) as caller, child(wait_for_word) as target:
        for each in (caller, target):
            each.hear()
        made = enforcing.call("process_vm_readv", target.pid)
        made.notification = made.notification._replace(tid=caller.pid)
        process = place(enforcing, target.pid)
        reaching.begin(made, process)
        for _ in range(1000):
            reaching.forked()
        os.kill(caller.pid, 0)
        enforcing.supervisor.unwatch(process.pidfd)
        enforcing.supervisor.tasks.gone(process)

        for _ in range(1000):
            reaching.forked()
        assert signal.SIGKILL == os.WTERMSIG(os.waitpid(caller.pid, 0)[1])


@pytest.mark.needs("strace")
def test_strace_learned_and_enforced(tmp_path: Path) -> None:
    """A program that execs while it is traced: its tracer may trace the new domain, too."""
    supervised = Supervised(tmp_path / "policy")
    log = tmp_path / "log"
    command = ["strace", "-f", "-o", str(log), "-e", "trace=execve", "sh", "-c", "true; /bin/true"]
    for _ in range(2):
        assert 0 == supervised.learn(*command).status
    log.unlink()
    log.touch()
    supervised.learn(*command)

    done = supervised.run(*command)

    assert (0, []) == (done.status, supervised.rejected()), done.err
    assert '"/bin/true"' in log.read_text()
    kept = {name: {line for line in lines if "ipc ptrace" not in line} for name, lines in supervised.entries().items()}
    kept.pop("<kernel>")
    supervised.write(kept)
    supervised.forget_records()
    done = supervised.run(*command)
    assert any(line.startswith("ipc ptrace ") for line in supervised.rejected()), done


_RACE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
numbers = [int(word) for word in sys.argv[1].split(",")]
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
data = ctypes.create_string_buffer(8)
vector = Vector(ctypes.addressof(data), 8)
for _ in range(60):
    ready, go = os.pipe()
    child = os.fork()
    if not child:
        os.read(ready, 1)
        os.execv(sys.argv[2], [sys.argv[2]])
    os.close(ready)
    os.write(go, b"x")
    for _ in range(20):
        for number in numbers:
            libc.syscall(ctypes.c_long(number), ctypes.c_long(child), ctypes.byref(vector), ctypes.c_long(1),
                         ctypes.byref(vector), ctypes.c_long(1), ctypes.c_long(0))
    os.close(go)
    os.waitpid(child, 0)
print("done")
"""


def test_a_target_that_execs_all_the_while(tmp_path: Path) -> None:
    """Whoever reaches in and whoever executes get on with each other; nothing hangs and nothing is lost."""
    supervised = Supervised(tmp_path / "policy")
    numbers = ",".join(str(ARCHITECTURE.numbers[name]) for name in ("process_vm_readv", "process_vm_writev"))
    command = [sys.executable, "-I", "-S", "-c", _RACE, numbers, "/bin/true"]
    for _ in range(2):
        learned = supervised.learn(*command)
        assert "done\n" == learned.out, learned.err

    done = supervised.run(*command)

    assert (0, "done\n", []) == (done.status, done.out, supervised.rejected(Mode.ENFORCING.word)), done.err
