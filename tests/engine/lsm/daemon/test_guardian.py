from __future__ import annotations

import os
import signal
import time

import pytest

from sekisho.engine.lsm.daemon import guardian


def tell(write: int) -> None:
    os.write(write, b"gone")


def daemon(write: int, *, group: bool) -> tuple[int, int]:
    """A process that is watched over, and its guardian; the end of the latter is told by ``write``."""
    read, told = os.pipe()
    pid = os.fork()
    if not pid:
        if group:
            os.setpgid(0, 0)
        guard = guardian.watch(os.getpid(), lambda: tell(write), [write])
        os.write(told, str(guard).encode())
        time.sleep(60)
        os._exit(1)
    os.close(told)
    guard = int(os.read(read, 16))
    os.close(read)
    return pid, guard


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_end_of_the_daemon_is_seen_however_it_comes(number: int) -> None:
    read, write = os.pipe()
    pid, _ = daemon(write, group=False)
    os.close(write)
    os.kill(pid, number)
    os.waitpid(pid, 0)
    assert os.read(read, 4) == b"gone"
    assert os.read(read, 4) == b"", "the guardian goes on"
    os.close(read)


def test_what_ends_the_daemon_does_not_end_its_guardian() -> None:
    """A service manager tells all of a service's processes to end, a terminal all of a group."""
    read, write = os.pipe()
    pid, guard = daemon(write, group=True)
    os.close(write)
    time.sleep(0.3)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(guard, number)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert os.read(read, 4) == b"gone"
    os.close(read)


def test_the_guardian_keeps_nothing_open_that_it_does_not_need() -> None:
    spare, other = os.pipe()
    read, write = os.pipe()
    pid, guard = daemon(write, group=False)
    os.close(other)
    time.sleep(0.3)
    held = {os.readlink(f"/proc/{guard}/fd/{fd}") for fd in os.listdir(f"/proc/{guard}/fd")}
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert len(held) == 3, held
    assert "/dev/null" in held
    for fd in (spare, read, write):
        os.close(fd)
