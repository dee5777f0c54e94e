"""A replaced exec under all that can get in its way: signals, stops, threads, shared memory, another debugger."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.engine.supervisor.handled import Handled
from tests.engine.supervisor.stage import ARCHITECTURE

_COUNTED = """
import errno, os, signal, subprocess, threading, time
def maps():
    return len(open('/proc/self/maps').readlines())
def attempt(*argv):
    try: os.execv('/bin/true', argv or ['x'])
    except OSError as failure: return errno.errorcode[failure.errno]
"""


@pytest.fixture
def handled(tmp_path: Path) -> Handled:
    """Python's execs are taken over by a handler that tells its own argument and which signals it blocks."""
    made = Handled(tmp_path)
    handler = made.script('#!/bin/sh\necho "$8 $(grep SigBlk /proc/self/status)"\n')
    made.put(f"task auto_execute_handler {handler}", sys.executable)
    return made


@pytest.fixture
def failing(tmp_path: Path) -> Handled:
    """They are taken over by what no kernel can execute."""
    made = Handled(tmp_path)
    handler = made.script("\x7fELF and no more")
    made.put(f"task auto_execute_handler {handler}", sys.executable)
    return made


def _python(handled: Handled, code: str) -> list[str]:
    """What the code prints in learning mode, and again in enforcing mode."""
    printed = []
    for enforced in (False, True):
        done = handled.python(_COUNTED + code, enforced=enforced)
        assert (0, False) == (done.status, "Traceback" in done.err), done.err
        printed.append(done.out)
        handled.enforce()
    assert printed[0] == printed[1]
    return printed[0].splitlines()


def test_a_failed_exec_leaves_nothing_behind_but_one_area(failing: Handled) -> None:
    code = """
print(attempt(), attempt())
before, mask = maps(), signal.pthread_sigmask(signal.SIG_BLOCK, [])
print({attempt('x' * n * 100) for n in range(1, 100)}, maps() - before, mask)
print({attempt('x' * 120000) for n in range(4)}, maps() - before <= 1)
print(attempt(*['x' * 120000] * 30))
"""
    assert ["ENOEXEC ENOEXEC", "{'ENOEXEC'} 0 set()", "{'ENOEXEC'} True", "E2BIG"] == _python(failing, code)


def test_signals_come_before_or_after_but_never_in_between(failing: Handled) -> None:
    """Those that come before the supervisor has heard of the call interrupt that one, handler or not."""
    code = """
hits = []
signal.signal(signal.SIGALRM, lambda *none: hits.append(1))
signal.setitimer(signal.ITIMER_REAL, .001, .001)
seen = {attempt('x') for n in range(500)}
signal.setitimer(signal.ITIMER_REAL, 0)
print('ENOEXEC' in seen, seen <= {'ENOEXEC', 'EINTR'}, len(hits) > 5)
"""
    assert ["True True True"] == _python(failing, code)


def test_stopping_and_continuing_it_changes_nothing(failing: Handled) -> None:
    code = """
target = os.fork()
if not target:
    print({attempt('x') for n in range(1500)}, flush=True)
    os._exit(0)
rounds = 0
while not os.waitpid(target, os.WNOHANG)[0]:
    os.kill(target, signal.SIGSTOP)
    time.sleep(.001)
    os.kill(target, signal.SIGCONT)
    time.sleep(.001)
    rounds += 1
print(rounds > 20)
"""
    assert ["{'ENOEXEC'}", "True"] == _python(failing, code)


def test_the_signal_mask_is_the_callers(handled: Handled) -> None:
    code = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
attempt('x', 'own')
"""
    assert [f"own SigBlk:\t{1 << 9:016x}"] == _python(handled, code)


def test_children_that_share_their_parents_memory(handled: Handled) -> None:
    """posix_spawn(3) and subprocess use vfork(2): the parent goes on with the memory, one area larger."""
    code = """
def both(word):
    pid = os.posix_spawn('/bin/true', ['x', word], {})
    assert not os.waitpid(pid, 0)[1]
    out = subprocess.run(['/bin/true', word], capture_output=True, close_fds=False).stdout
    print(out.split()[0].decode(), flush=True)
both('first')
before = maps()
for n in range(5):
    both('more')
print(maps() - before)
"""
    lines = [line.split()[0] for line in _python(handled, code)]
    assert ["first"] * 2 + ["more"] * 10 + ["0"] == lines


def test_many_threads_at_once(handled: Handled) -> None:
    code = """
def one(number):
    for turn in range(4):
        word = f'{number}.{turn}'
        out = subprocess.run(['/bin/true', word], capture_output=True).stdout.decode()
        assert out.startswith(word + ' SigBlk'), out
        told.append(word)
told = []
threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(told))
"""
    assert ["24"] == _python(handled, code)


def test_a_thread_that_isnt_the_first(handled: Handled) -> None:
    code = """
thread = threading.Thread(target=attempt, args=('x', 'thread'))
thread.start()
thread.join()
"""
    assert ["thread"] == [line.split()[0] for line in _python(handled, code)]


def test_where_a_debugger_is_attached_already_nothing_is_executed(handled: Handled) -> None:
    code = """
import ctypes
pid = os.fork()
if not pid:
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
    print(attempt(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""
    done = handled.python(_COUNTED + code)

    assert "EPERM\n" == done.out
    assert "can't be watched" in done.err


def test_a_filter_of_the_programs_own_gets_it_nothing(handled: Handled) -> None:
    """It may pretend that there is memory: there is none."""
    code = """
import ctypes, struct
pretend = [(0x20, 0, 0, 0), (0x15, 0, 3, MMAP), (0x20, 0, 0, 24), (0x15, 0, 1, 65536), (0x06, 0, 0, 0x50000),
           (0x06, 0, 0, 0x7fff0000)]
raw = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *each) for each in pretend))
program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', len(pretend), ctypes.addressof(raw)))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
print(libc.prctl(22, 2, ctypes.byref(program)), attempt())
""".replace("MMAP", str(ARCHITECTURE.numbers["mmap"]))
    assert ["0 EPERM"] == _python(handled, code)


def test_who_dies_meanwhile_is_dead(failing: Handled) -> None:
    code = """
for turn in range(100):
    pid = os.fork()
    if not pid:
        while True: attempt('x')
    time.sleep(turn / 20000)
    os.kill(pid, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
print(attempt())
"""
    assert ["ENOEXEC"] == _python(failing, code)
