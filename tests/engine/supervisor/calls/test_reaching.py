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

from sekisho.engine.supervisor.calls.reaching import ATTACH, SEIZE, TRACEME
from sekisho.engine.supervisor.plan import PROCEED
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


def test_who_is_reached_stays_what_it_is_until_the_call_is_over(enforcing: Stage) -> None:
    with child(wait_for_word) as other:
        other.hear()
        process = place(enforcing, other.pid)
        enforcing.allow(f"ipc read_memory {BELOW}")

        assert "proceed" == enforcing.handle("process_vm_readv", other.pid)
        (made,) = enforcing.supervisor.underway.calls.values()
        assert made.reaches(process)
        assert not made.by_number


def test_an_outsiders_number_may_be_anybodys_by_then(enforcing: Stage) -> None:
    enforcing.allow("ipc read_memory <kernel>")

    assert "proceed" == enforcing.handle("process_vm_readv", 1)
    (made,) = enforcing.supervisor.underway.calls.values()
    assert made.by_number


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
