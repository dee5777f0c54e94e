"""Thin calls: what goes in, what comes out, and that errors are OSErrors."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import threading
from pathlib import Path

import pytest
from tests.engine.supervisor import tried
from tests.engine.supervisor.failing import failing

from sekisho.engine.supervisor.system import libc

PATH_ONLY = os.O_PATH | os.O_CLOEXEC


def test_a_raw_call() -> None:
    assert os.getpgid(0) == libc.syscall("getpgid", 0)
    with failing(errno.ESRCH):
        libc.syscall("getpgid", (1 << 22) + 1)


def test_negative_numbers_and_pointers_arrive(tmp_path: Path) -> None:
    libc.syscall("mkdirat", libc.AT_FDCWD, os.fsencode(tmp_path / "made"), 0o700)

    assert (tmp_path / "made").is_dir()


def test_prctl() -> None:
    assert libc.prctl(3) in (0, 1, 2)
    with failing(errno.EINVAL):
        libc.prctl(-1)


def test_ptrace_of_nobody() -> None:
    with failing(errno.ESRCH):
        libc.ptrace(0x4206, 0)


def test_openat2(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "file").touch()
    where = os.open(tmp_path, PATH_ONLY)

    fd = libc.openat2(where, b"link", libc.OpenHow(PATH_ONLY, 0))
    assert os.path.samestat(os.fstat(fd), os.stat(tmp_path / "file"))
    with failing(errno.ELOOP):
        libc.openat2(where, b"link", libc.OpenHow(PATH_ONLY, libc.RESOLVE_NO_SYMLINKS))
    with failing(errno.EXDEV):
        libc.openat2(where, b"/etc", libc.OpenHow(PATH_ONLY, 0x08))
    with failing(errno.ELOOP):
        libc.openat2(where, b"/proc/self/cwd/x", libc.OpenHow(PATH_ONLY, libc.RESOLVE_NO_MAGICLINKS))
    with failing(errno.ENOENT):
        libc.openat2(where, b"absent", libc.OpenHow(PATH_ONLY, 0))
    os.close(fd)
    os.close(where)


def test_openat2_makes_files_with_their_mode(tmp_path: Path) -> None:
    how = libc.OpenHow(os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0, 0o600)
    os.close(libc.openat2(libc.AT_FDCWD, os.fsencode(tmp_path / "new"), how))

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_fstat_raw_is_the_kernel_structure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    fd = os.open(tmp_path / "file", PATH_ONLY)
    status = os.fstat(fd)
    raw = libc.fstat_raw(fd, 144)
    os.close(fd)

    assert (status.st_dev, status.st_ino) == (int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:16], "little"))
    assert 5 == int.from_bytes(raw[48:56], "little")
    with failing(errno.EBADF):
        libc.fstat_raw(fd, 144)


@pytest.mark.parametrize("flag", [os.O_EXCL, 1 << 20])
@pytest.mark.parametrize("apart", [False, True])
def test_a_descriptor_of_a_thread(monkeypatch: pytest.MonkeyPatch, flag: int, apart: bool) -> None:
    """The thread's own where it has its own; a kernel that can't tell threads apart (EINVAL) hands over no other."""
    monkeypatch.setattr(libc, "_PIDFD_THREAD", flag)
    here, there = os.pipe()
    started, done = threading.Event(), threading.Event()
    found: list[int] = []

    def play() -> None:
        if apart:
            libc.syscall("unshare", 0x400)
            os.dup2(there, here)
        found.append(threading.get_native_id())
        started.set()
        done.wait(10)

    thread = threading.Thread(target=play)
    thread.start()
    started.wait(10)
    try:
        if apart and flag != os.O_EXCL:
            # Both ends of a pipe are one object: another one shows the difference.
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, here)
            os.close(null)
            with failing(errno.EBADF):
                libc.thread_getfd(found[0], here)
            return
        copy = libc.thread_getfd(found[0], here)
        assert (os.O_WRONLY if apart else os.O_RDONLY) == fcntl.fcntl(copy, fcntl.F_GETFL) & os.O_ACCMODE
        os.close(copy)
    finally:
        done.set()
        thread.join()
        os.close(here)
        os.close(there)


def test_pidfd_getfd() -> None:
    here, there = os.pipe()
    pidfd = os.pidfd_open(os.getpid())
    copy = libc.pidfd_getfd(pidfd, there)
    os.write(copy, b"same")

    assert b"same" == os.read(here, 4)
    with failing(errno.EBADF):
        libc.pidfd_getfd(pidfd, 1 << 20)
    for fd in (here, there, copy, pidfd):
        os.close(fd)


def test_process_vm_writev_that_fails_writes_nothing() -> None:
    assert 0 == libc.process_vm_writev(0, None, None)


def test_signalfd() -> None:
    def play() -> tuple[bool, bool]:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        fd = libc.signalfd(signal.SIGUSR1)
        try:
            os.read(fd, 128)
        except BlockingIOError:
            quiet = True
        else:
            quiet = False
        os.kill(os.getpid(), signal.SIGUSR1)
        return quiet, os.read(fd, 128)[0] == signal.SIGUSR1

    assert (True, True) == tried.in_child(play)


@pytest.mark.parametrize("name", ["pidfd_getfd", "openat2", "newfstatat", "renameat2", "capset", "setns"])
def test_calls_that_the_engine_makes_have_numbers(name: str) -> None:
    assert name in libc.NUMBERS


def test_buffers_stay_where_they_are() -> None:
    how = libc.OpenHow(1, 2, 3)

    assert (1, 3, 2) == tuple(ctypes.cast(how.address, ctypes.POINTER(ctypes.c_uint64))[index] for index in range(3))
