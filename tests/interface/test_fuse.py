"""The mounted files: what needs no mount here, the rest through a real one (tests/interface/echoing.py)."""

from __future__ import annotations

import ctypes
import errno
import json
import select
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sekisho.errors import NotSupported
from sekisho.interface import fuse
from sekisho.interface.files import MODES

ECHOING = str(Path(__file__).parent / "echoing.py")
FILES = "/sys/kernel/security/tomoyo"


class Notices:
    """Stands for libfuse: what was notified and destroyed."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.fuse_notify_poll = self._noting("notify")
        self.fuse_pollhandle_destroy = self._noting("destroy")

    def _noting(self, what):
        def note(handle: int) -> int:
            self.seen.append((what, handle))
            return 0

        return note


class Silent:
    def __init__(self, name: str, flags: int, wake) -> None:
        self.wake = wake
        self.closed = False
        self.ready = False

    def readable(self, pid: int, user: int) -> bool:
        return self.ready

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def files():
    class Called(fuse.Files):
        def caller(self):
            return 1, 0

    opened: list[Silent] = []
    notices = Notices()

    def opener(name, flags, wake):
        opened.append(Silent(name, flags, wake))
        return opened[-1]

    called = Called(opener, 12, lambda: None, fuse.Wakers(notices))
    return SimpleNamespace(files=called, opened=opened, notices=notices)


def test_names_modes_and_owner_are_the_kernels(files) -> None:
    assert {".", "..", *MODES} == set(files.files.readdir("/", None))
    assert stat.S_IFREG | 0o666 == files.files.getattr("/self_domain")["st_mode"]
    assert 12 == files.files.getattr("/query")["st_uid"]
    with pytest.raises(OSError, match="No such file") as caught:
        files.files.getattr("/queries")
    assert errno.ENOENT == caught.value.errno


def test_each_wish_to_be_woken_is_answered_once_and_freed(files) -> None:
    info, events = SimpleNamespace(flags=0), [0]
    files.files.open("/query", info)
    files.files.poll("/query", info, 100, events)
    files.files.poll("/query", info, 200, events)
    files.opened[0].wake()
    files.opened[0].wake()
    files.files.poll("/query", info, 300, events)
    files.files.release("/query", info)
    files.opened[0].wake()

    assert [("destroy", 100), ("notify", 200), ("destroy", 200), ("destroy", 300)] == files.notices.seen
    assert files.opened[0].closed


def test_a_file_can_always_be_written_and_only_sometimes_read(files) -> None:
    info, events = SimpleNamespace(flags=0), [0]
    files.files.open("/audit", info)
    files.files.poll("/audit", info, None, events)
    before = events[0]
    files.opened[0].ready = True
    files.files.poll("/audit", info, None, events)

    assert (0, select.POLLOUT) == (before & select.POLLIN, before & select.POLLOUT)
    assert events[0] & select.POLLIN


def test_a_missing_package_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mfusepy", None)

    with pytest.raises(NotSupported, match=r"mfusepy is missing; install it: pip install 'sekisho\[classic\]'"):
        fuse.library()


def inside(script: str) -> str:
    """What ``script``, a Python program, prints among the served files."""
    result = subprocess.run(
        [sys.executable, ECHOING, "--", sys.executable, "-c", f"import os, select, json, time\n{script}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (0, "") == (result.returncode, result.stderr)
    return result.stdout


@pytest.mark.root
@pytest.mark.needs("fusermount3")
def test_the_kernel_shows_them_so() -> None:
    seen = json.loads(
        inside(f"""
folder = {FILES!r}
print(json.dumps({{name: oct(os.stat(folder + "/" + name).st_mode & 0o7777) for name in os.listdir(folder)}}))
""")
    )

    assert {name: oct(mode) for name, mode in MODES.items()} == seen


@pytest.mark.root
@pytest.mark.needs("fusermount3")
def test_reads_and_writes_of_any_size_through_one_descriptor() -> None:
    seen = json.loads(
        inside(f"""
fd = os.open("{FILES}/domain_policy", os.O_RDWR)
long = b"x" * 300000
print(json.dumps([
    os.write(fd, b""), os.read(fd, 9).decode(), os.write(fd, b"abc"), os.read(fd, 2).decode(), os.read(fd, 9).decode(),
    os.write(fd, long), sum(len(os.read(fd, 70000)) for _ in range(5)), os.read(fd, 1).decode(),
]))
""")
    )

    assert [0, "", 3, "ab", "c", 300000, 300000, ""] == seen


@pytest.mark.root
@pytest.mark.needs("fusermount3")
def test_the_caller_is_whoever_makes_the_call_and_hears_its_error() -> None:
    seen = json.loads(
        inside(f"""
fd = os.open("{FILES}/profile", os.O_RDWR)
pid = os.fork()
if not pid:
    os.setresuid(77, 77, 77)
    os.write(fd, b"who")
    os._exit(0)
os.waitpid(pid, 0)
try:
    os.write(fd, b"refuse")
except OSError as error:
    number = error.errno
print(json.dumps([os.read(fd, 99).decode() == str(pid) + " 77", number]))
""")
    )

    assert [True, errno.EPERM] == seen


@pytest.mark.root
@pytest.mark.needs("fusermount3")
def test_poll_wakes_up_when_something_comes_and_hinders_nobody_before() -> None:
    seen = json.loads(
        inside(f"""
import threading
fd = os.open("{FILES}/query", os.O_RDWR)
other = os.open("{FILES}/stat", os.O_RDWR)
poll = select.poll()
poll.register(fd, select.POLLIN)
at_once = poll.poll(0)
got = []
waiter = threading.Thread(target=lambda: got.extend(poll.poll(30000)))
waiter.start()
os.write(other, b"meanwhile")
meanwhile = os.read(other, 99).decode()
os.write(fd, b"later hello")
waiter.join()
print(json.dumps([at_once, meanwhile, got == [(fd, select.POLLIN)], os.read(fd, 99).decode(),
                  select.select([fd], [fd], [], 0)[:2] == ([], [fd])]))
""")
    )

    assert [[], "meanwhile", True, "hello", True] == seen


@pytest.mark.root
@pytest.mark.needs("fusermount3")
def test_opening_to_empty_and_append_is_no_error() -> None:
    assert "ok\n" == inside(f"""
for mode in "w", "a", "r+":
    with open("{FILES}/manager", mode) as file:
        file.write("x")
print("ok")
""")


def test_libfuse_functions_take_pointers() -> None:
    notices = Notices()
    fuse.Wakers(notices)

    assert [ctypes.c_void_p] == notices.fuse_notify_poll.argtypes
