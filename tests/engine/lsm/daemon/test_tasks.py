from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sekisho.engine.lsm.daemon.tasks import Process, infer, look_at, processes, threads
from sekisho.policy.model import Domain, Policy
from sekisho.policy.parser import parse_exception_policy, parse_profile
from sekisho.store.defaults import profiles


@pytest.fixture
def policy() -> Policy:
    policy = Policy()
    parse_profile(profiles(), policy)
    return policy


def domains(policy: Policy, *found: Process) -> dict[int, str]:
    known: dict[int, tuple[Domain, bytes | None]] = {}
    infer(policy, found, known)
    return {pid: domain.name for pid, (domain, _) in known.items()}


INIT = Process(1, 0, 1, b"/sbin/init")
THREAD = Process(2, 0, 1, None)


def test_programs_lead_where_their_execution_would(policy: Policy) -> None:
    found = domains(
        policy,
        INIT,
        THREAD,
        Process(10, 1, 5, b"/sbin/init"),
        Process(20, 10, 6, b"/bin/sh"),
        Process(21, 20, 7, b"/bin/a b"),
        Process(30, 999, 8, b"/bin/sh"),
    )

    assert {
        1: "<kernel> /sbin/init",
        2: "<kernel>",
        10: "<kernel> /sbin/init",
        20: "<kernel> /sbin/init /bin/sh",
        21: "<kernel> /sbin/init /bin/sh /bin/a\\040b",
        30: "<kernel> /bin/sh",
    } == found
    assert set(found.values()) <= set(policy.domains)


def test_transition_control_holds(policy: Policy) -> None:
    parse_exception_policy(
        "initialize_domain /usr/sbin/sshd from any\nkeep_domain any from <kernel> /sbin/init\n", policy
    )
    found = domains(policy, INIT, Process(5, 1, 2, b"/usr/sbin/sshd"), Process(6, 1, 2, b"/bin/sh"))

    assert ("<kernel> /usr/sbin/sshd", "<kernel> /sbin/init") == (found[5], found[6])


def test_those_that_are_there_are_found() -> None:
    found = processes()
    own = next(process for process in found if process.pid == os.getpid())

    assert os.readlink("/proc/self/exe").encode() == own.program
    assert os.getppid() == own.parent
    assert os.getuid() == dict(own.ids)["uid"]
    pids = [process.pid for process in found]
    assert all(pids.index(each.parent) < pids.index(each.pid) for each in found if each.parent in pids)
    assert look_at(0) is None


def test_threads_are_found() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert thread.native_id in threads(os.getpid())
        assert os.getpid() not in threads(os.getpid())
    finally:
        done.set()
        thread.join()
    assert [] == threads(0)


FIRST_ENDS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
ctypes.CDLL(None).syscall(60, 0)
"""


def test_a_program_whose_first_thread_has_ended_is_known_by_another() -> None:
    with subprocess.Popen([sys.executable, "-c", FIRST_ENDS]) as process:
        try:
            until = time.monotonic() + 10
            while "\nState:\tZ" not in Path(f"/proc/{process.pid}/status").read_text() and time.monotonic() < until:
                time.sleep(0.01)
            found = look_at(process.pid)
        finally:
            process.kill()

    assert found is not None
    assert (os.readlink("/proc/self/exe").encode(), False) == (found.program, found.is_kernel)
