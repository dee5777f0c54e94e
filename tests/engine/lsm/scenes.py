"""What a process does with files, for the comparison of names: each scene in a process of its own."""

from __future__ import annotations

import ctypes
import fcntl
import os
import pty
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOM: Final = "/t"
"""A tmpfs: on an overlay the kernel asks twice, under two names."""
LIBC = ctypes.CDLL(None, use_errno=True)
SCENES: list[Callable[[], None]] = []


def scene(function: Callable[[], None]) -> Callable[[], None]:
    """``function`` is a scene."""
    SCENES.append(function)
    return function


def call(name: str, *arguments: object) -> int:
    """A function of libc's. Raises OSError."""
    result: int = getattr(LIBC, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def room(name: str) -> str:
    """A directory of the scene's own."""
    os.makedirs(f"{ROOM}/{name}", exist_ok=True)
    os.chdir(f"{ROOM}/{name}")
    return f"{ROOM}/{name}"


@scene
def opening() -> None:
    """All ways to open."""
    room("opening")
    os.close(os.open("new", os.O_CREAT | os.O_RDWR, 0o6751))
    for flags in (
        os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_ACCMODE, os.O_WRONLY | os.O_APPEND, os.O_RDWR | os.O_APPEND,
        os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_TRUNC, os.O_PATH,
    ):  # fmt: skip
        with suppress(OSError):
            os.close(os.open("new", flags))
    os.close(os.open(".", os.O_RDONLY))
    with suppress(OSError):
        os.close(os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600))


@scene
def entries() -> None:
    """What is made, removed, linked and renamed."""
    room("entries")
    os.umask(0o027)
    os.mkdir("dir", 0o1777)
    os.mkdir("empty")
    for name in ("a", "b", "c"):
        Path(name).write_text(name)
    os.link("a", "dir/hard")
    os.symlink("../somewhere else\\", "dir/soft")
    os.mkfifo("fifo", 0o644)
    os.mknod("char", 0o020600, os.makedev(1, 3))
    os.mknod("block", 0o060640, os.makedev(259, 70000))
    os.mknod("plain", 0o100600)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("server")
    os.rename("a", "renamed")
    os.rename("dir", "moved")
    call("renameat2", -100, b"b", -100, b"moved", 2)
    call("renameat2", -100, b"c", -100, b"renamed", 2)
    for name in ("c", "renamed", "fifo", "char", "block", "plain", "server", "moved"):
        os.unlink(name)
    os.rmdir("empty")


@scene
def changes() -> None:
    """What is changed of a file."""
    room("changes")
    Path("file").write_text("text")
    os.truncate("file", 2)
    with open("file", "r+") as file:
        os.ftruncate(file.fileno(), 1)
        os.fchmod(file.fileno(), 0o4711)
        os.fchown(file.fileno(), 5, -1)
        os.fchown(file.fileno(), -1, 6)
        fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)
        fcntl.fcntl(file, fcntl.F_SETFL, 0)
        fcntl.fcntl(file, fcntl.F_SETFL, os.O_NONBLOCK)
        with suppress(OSError):
            fcntl.ioctl(file, 0x5401)
        with suppress(OSError):
            fcntl.ioctl(file, 0x80086601, bytes(8))
    os.chown("file", 1, 2)
    os.chmod("file", 0o100644)
    os.chmod(".", 0o1755)
    os.lchown("file", 3, 4)
    os.stat("file")
    os.utime("file")
    os.statvfs("file")


@scene
def odd() -> None:
    """Names of odd characters and sizes."""
    room("odd")
    for name in (
        b"a b", b"back\\slash", b"\xc3\xa4\xff\x01\x7f", b"x" * 255, b"y" * 31, b"y" * 32, b"y" * 33, b"z" * 39,
        b"z" * 40, b"z" * 41, b"line\nfeed", b"\\", b"-", b"*?[", b"1234567", b"12345678", b"123456789",
    ):  # fmt: skip
        os.close(os.open(name, os.O_CREAT | os.O_RDWR))
        os.mkdir(name + b"d" if len(name) < 255 else b"d" * 255)
    for length in range(1, 60):
        os.stat(b"/") if length == 1 else os.close(os.open(b"l" * length, os.O_CREAT | os.O_WRONLY))


@scene
def deep() -> None:
    """Directories within directories."""
    room("deep")
    for level in range(300):
        os.mkdir(f"d{level % 10}")
        os.chdir(f"d{level % 10}")
        if level % 50 == 0 or level > 290 or 25 < level < 40:
            os.close(os.open("file", os.O_CREAT | os.O_RDWR))
            os.stat(".")


@scene
def long() -> None:
    """Names as long as they can be, and longer."""
    room("long")
    for _ in range(15):
        os.mkdir("n" * 255)
        os.chdir("n" * 255)
    left = 4092 - len(os.getcwd())
    for size in (left - 1, left - 2):
        os.close(os.open("m" * size, os.O_CREAT | os.O_RDWR))


@scene
def processes() -> None:
    """/proc."""
    pid = os.getpid()
    for name in ("self/stat", f"{pid}/status", "1/stat", "thread-self/comm", "meminfo", "self/ns/mnt", "self/ns/pid"):
        os.close(os.open(f"/proc/{name}", os.O_RDONLY))
    for name in ("self", f"{pid}", "1", "self/task", "", "self/fd", "self/exe", "1/exe", "self/ns/net", "sys/kernel"):
        os.stat(f"/proc/{name}")
        os.lstat(f"/proc/{name}")
    os.listdir(f"/proc/{os.getppid()}/fd")


@scene
def nameless() -> None:
    """What has no path."""
    room("nameless")
    pipe, _ = os.pipe()
    memory = os.memfd_create("a b\\")
    event = call("eventfd", 0, 0)
    poll = call("epoll_create1", 0)
    process = os.pidfd_open(os.getpid())
    pair = socket.socketpair()
    inet = socket.socket()
    for fd in (pipe, memory, event, poll, process, pair[0].fileno(), inet.fileno()):
        os.fstat(fd)
        with suppress(OSError):
            fcntl.ioctl(fd, 0x541B, bytes(8))
        with suppress(OSError):
            os.close(os.open(f"/proc/self/fd/{fd}", os.O_RDWR))
    os.ftruncate(memory, 5)
    Path("gone").write_text("x")
    with open("gone") as file:
        os.unlink("gone")
        os.fstat(file.fileno())
        os.close(os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY))
    os.mkdir("left")
    inside = os.open("left", os.O_RDONLY)
    os.rmdir("left")
    os.fstat(inside)
    os.rename(ROOM + "/nameless", ROOM + "/nameless2")
    os.fstat(inside)
    shared = call("shmget", 0, 4096, 0o1600)
    LIBC.shmat.restype = ctypes.c_void_p
    LIBC.shmat(shared, None, 0)
    call("shmctl", shared, 0, None)


@scene
def devices() -> None:
    """Devices, terminals, other file systems."""
    _, slave = pty.openpty()
    os.fstat(slave)
    fcntl.ioctl(slave, 0x5413, bytes(8))
    for name in ("/dev/null", "/dev/ptmx", "/sys/kernel/mm", "/sys/kernel/security/lsm", "/dev/shm", "/sys/fs/cgroup"):
        with suppress(OSError):
            os.close(os.open(name, os.O_RDONLY))
    for name in (
        "/",
        "/dev/",
        "/sys",
        "/sys/kernel/debug",
        "/sys/kernel/tracing",
        "/sys/fs/bpf",
        "/dev/pts",
        "/dev/mqueue",
    ):
        with suppress(OSError):
            os.stat(name)
