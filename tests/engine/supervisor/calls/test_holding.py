"""Threads that are held while another's call looks its descriptor up: honest programs don't notice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor.supervised import Result, Supervised

_SETFLAGS, _GETFLAGS = 0x40086602, 0x80086601
_BEGIN = f"""
import ctypes, fcntl, os, select, signal, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
file = os.open(sys.argv[1], os.O_RDWR)
flags = fcntl.ioctl(file, {_GETFLAGS}, bytes(8))
def change(): return fcntl.ioctl(file, {_SETFLAGS}, flags)
def beside(*plays):
    for play in plays: threading.Thread(target=play, daemon=True).start()
"""
_CHANCE = ("file read proc:/stat", "file read /sys/devices/system/cpu/online")
"""What the C library reads when threads happen to allocate at the same time."""


@pytest.fixture
def supervised(tmp_path: Path) -> Supervised:
    (tmp_path / "file").write_text("text")
    return Supervised(tmp_path / "policy")


def play(supervised: Supervised, code: str, *arguments: str | Path) -> Result:
    """The program ``code``, learned, has been enforced."""
    command = [sys.executable, "-I", "-S", "-c", _BEGIN + code, supervised.path.parent / "file", *arguments]
    learned = supervised.learn(*command)
    assert 0 == learned.status, learned.err
    return supervised.run(*command)


def held(supervised: Supervised, code: str, *arguments: str | Path) -> str:
    """What the same prints, with nothing refused and nothing to be told."""
    done = play(supervised, code, *arguments)
    refused = [line for line in supervised.rejected() if line not in _CHANCE]
    assert (0, "", []) == (done.status, done.err, refused)
    return done.out


def test_threads_in_every_state(supervised: Supervised) -> None:
    """Running, asleep in every way, and in calls of their own that wait for the supervisor."""
    code = """
here, there = os.pipe()
poll = select.epoll(); poll.register(here)
done = threading.Event()
def spin():
    while not done.is_set(): sum(range(100))
def opening():
    while not done.is_set(): os.close(os.open("/dev/null", os.O_RDONLY))
def changing():
    for _ in range(20): change()
def born():
    while not done.is_set():
        thread = threading.Thread(target=int); thread.start(); thread.join()
beside(lambda: poll.poll(), lambda: os.read(here, 1), lambda: time.sleep(20), done.wait, spin, opening, born, changing)
for _ in range(50): change()
done.set()
print("done")
"""
    assert "done\n" == held(supervised, code)


def test_many_threads(supervised: Supervised) -> None:
    code = """
threading.stack_size(65536)
done = threading.Event()
beside(*[done.wait] * 500)
for _ in range(5): change()
done.set()
print("done")
"""
    assert "done\n" == held(supervised, code)


def test_children_are_born_meanwhile(supervised: Supervised) -> None:
    code = """
def breed():
    while True: subprocess.run(["/bin/true"])
beside(breed)
for _ in range(100): change()
print(subprocess.run(["/bin/true"]).returncode, flush=True)
os._exit(0)
"""
    assert "0\n" == held(supervised, code)


def test_a_thread_that_executes_another_program(supervised: Supervised) -> None:
    code = """
def changing():
    while True: change()
beside(changing, changing)
time.sleep(0.1)
sys.stdout.flush()
os.execv("/bin/echo", ["echo", "executed"])
"""
    assert "executed\n" == held(supervised, code)


def test_signals_reach_a_held_thread(supervised: Supervised) -> None:
    code = """
came = []
signal.signal(signal.SIGUSR1, lambda *_: came.append(1))
main = threading.main_thread().ident
def both():
    for _ in range(100):
        change()
        before = len(came)
        signal.pthread_kill(main, signal.SIGUSR1)
        change()
        while len(came) == before: time.sleep(0.0001)
thread = threading.Thread(target=both); thread.start()
while thread.is_alive(): time.sleep(0.001)
print(len(came))
"""
    assert "100\n" == held(supervised, code)


_SERVER = """
import errno, os, sys, time
import mfusepy
class Slow(mfusepy.Operations):
    use_ns = True
    def getattr(self, path, fh=None):
        return {"st_mode": 0o40755 if path == "/" else 0o100644, "st_nlink": 1, "st_size": 0}
    def open(self, path, flags): return 3
    def ioctl(self, path, cmd, arg, fh, flags, data):
        time.sleep(0.4)
        return 0
    def readdir(self, path, fh): return [".", "..", "file"]
mfusepy.FUSE(Slow(), sys.argv[1], foreground=True)
"""


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Path]:
    """A file whose ioctl takes a while, in which its caller sleeps."""
    folder = tmp_path / "slow"
    folder.mkdir()
    server = subprocess.Popen([sys.executable, "-c", _SERVER, folder], stderr=subprocess.PIPE)
    try:
        while not (folder / "file").exists():
            assert server.poll() is None, server.communicate()
        yield folder / "file"
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        server.wait(20)
        assert server.stderr is not None
        server.stderr.close()


@pytest.mark.root
def test_whoever_sleeps_in_a_call_holds_nobody_up(supervised: Supervised, slow: Path) -> None:
    code = f"""
other, moments = os.open(sys.argv[2], os.O_RDWR), []
over = threading.Event()
def slowly():
    for _ in range(2): fcntl.ioctl(other, {_GETFLAGS}, bytes(8))
    over.set()
beside(slowly)
while not over.is_set():
    moments.append(time.monotonic())
    os.close(os.open("/dev/null", os.O_RDONLY))
    time.sleep(0.001)
print([pair for pair in zip(moments, moments[1:]) if pair[1] > pair[0] + 0.25], len(moments) > 100)
"""
    assert "[] True\n" == held(supervised, code, slow)


_CLONE = """
stack = ctypes.create_string_buffer(65536)
nothing = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lambda _: 0)
libc.clone(nothing, ctypes.c_void_p(ctypes.addressof(stack) + 60000), 0x400 | 0x100 | 0x4000 | 17, None)
os.wait()
"""
_TRY = """
try:
    change()
    print("changed")
except OSError as failure:
    print(failure.errno)
print(int.from_bytes(fcntl.ioctl(file, 0x541B, bytes(4)), "little"))
"""


def test_descriptors_that_another_process_has_as_well(supervised: Supervised) -> None:
    """What can't be done in the caller's place is refused, with advice."""
    done = play(supervised, _CLONE + _TRY)

    assert ["1", "4"] == done.out.split(), done.err
    assert "shares its descriptors with another process: its ioctl 0x40086602 on " in done.err
    advice = "CONFIG::file::ioctl={ mode=disabled }"
    assert advice in done.err
    with (supervised.path / "profile.conf").open("a") as profile:
        profile.write(f"1-{advice[:-1]}grant_log=no reject_log=no }}\n")

    again = supervised.run(sys.executable, "-I", "-S", "-c", _BEGIN + _CLONE + _TRY, f"{supervised.path.parent}/file")
    assert ("changed\n4\n", "") == (again.out, again.err)


@pytest.mark.needs("strace")
def test_threads_that_somebody_else_traces(supervised: Supervised, tmp_path: Path) -> None:
    code = "beside(lambda: time.sleep(20))\n" + _TRY
    command = ["strace", "-f", "-o", "/dev/null", sys.executable, "-I", "-S", "-c", _BEGIN + code, f"{tmp_path}/file"]
    assert "changed" in supervised.learn(*command).out

    done = supervised.run(*command)

    assert done.out.startswith("1\n"), done
    assert "has threads that can't be stopped" in done.err


def test_learning_holds_nobody(supervised: Supervised) -> None:
    command = [sys.executable, "-I", "-S", "-c", _BEGIN + _CLONE + _TRY, f"{supervised.path.parent}/file"]

    for mode in ("learning", "permissive"):
        done = supervised.run(*command, mode=mode)
        assert ("changed", "") == (done.out.splitlines()[0], done.err), mode
    assert os.path.exists(supervised.path)
