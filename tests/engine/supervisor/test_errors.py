"""What fails natively fails under supervision with the same errno, learned or enforced, and what works works."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.supervisor import keywords, tiny
from tests.engine.supervisor.campaign import NUMBERS, PYTHON
from tests.engine.supervisor.supervised import Supervised

CASES = """
call('openat', AT, b'none', 0)
call('openat', AT, b'link', os.O_NOFOLLOW | os.O_DIRECTORY)
call('openat2', AT, b'f', how(0, mode=0o600), 24)
call('openat2', AT, b'f', how(1 << 40), 24)
execute('execveat', AT, b'link', vector(b'x'), vector(), NOFOLLOW)
call('openat', AT, b'', 0)
call('openat', AT, None, 0)
call('openat', AT, 1, 0)
call('openat', 99, b'f', 0)
call('openat', 0, b'f', 0)
call('openat', 99, d + b'/f', 0)
call('openat', AT, b'f/', 0)
call('openat', AT, b'f/.', 0)
call('openat', AT, b'f/x', 0)
call('openat', AT, b'link/', 0)
call('openat', AT, b'dir', os.O_WRONLY)
call('openat', AT, b'dir', os.O_RDWR)
call('openat', AT, b'dir', os.O_RDONLY | os.O_CREAT, 0o600)
call('openat', AT, b'dir/.', os.O_RDONLY | os.O_CREAT, 0o600)
call('openat', AT, b'dir/..', os.O_RDONLY)
call('openat', AT, b'f', os.O_RDONLY | os.O_DIRECTORY)
call('openat', AT, b'f', os.O_CREAT | os.O_EXCL, 0o600)
call('openat', AT, b'link', os.O_CREAT | os.O_EXCL, 0o600)
call('openat', AT, b'dangling', os.O_CREAT | os.O_EXCL, 0o600)
call('openat', AT, b'dangling', os.O_CREAT | os.O_NOFOLLOW | os.O_WRONLY, 0o600)
call('openat', AT, b'dangling', os.O_RDONLY)
call('openat', AT, b'link', os.O_NOFOLLOW)
call('openat', AT, b'link', os.O_NOFOLLOW | os.O_PATH)
call('openat', AT, b'new/', os.O_CREAT, 0o600)
call('openat', AT, b'none/new', os.O_CREAT, 0o600)
call('openat', AT, b'f/new', os.O_CREAT, 0o600)
call('openat', AT, b'dir', os.O_TMPFILE | os.O_RDONLY, 0o600)
call('openat', AT, b'f', os.O_TMPFILE | os.O_RDWR, 0o600)
call('openat', AT, b'loop', 0)
call('openat', AT, b'loop/x', 0)
call('openat', AT, b'loop', os.O_CREAT | os.O_WRONLY, 0o600)
call('openat', AT, b'n' * 255, 0)
call('openat', AT, b'n' * 256, 0)
call('openat', AT, b'n' * 256, os.O_CREAT, 0o600)
call('openat', AT, b'./' * 2047 + b'f', 0)
call('openat', AT, b'./' * 2048 + b'f', 0)
call('openat', AT, b'/' * 4000 + d + b'/f', 0)
call('openat', AT, b'f', os.O_RDONLY | os.O_TRUNC)
call('openat', AT, b'f', 3)
call('openat', AT, b'dir', 3)
call('openat', AT, b'fifo', os.O_WRONLY | os.O_NONBLOCK)
call('openat', AT, b'fifo', os.O_RDONLY | os.O_NONBLOCK)
call('openat', AT, b'sock', os.O_RDONLY)
call('openat2', AT, b'f', how(0), 23)
call('openat2', AT, b'f', how(0) , 8)
call('openat2', AT, b'f', buffer(bytes(24) + b'x'), 25)
call('openat2', AT, b'f', how(0, resolve=1 << 30), 24)
call('openat2', AT, b'link', how(0, resolve=4), 24)
call('openat2', AT, b'../x', how(0, resolve=8), 24)
call('openat2', AT, d + b'/f', how(0, resolve=8), 24)
call('openat2', AT, b'/proc/self/exe', how(0, resolve=2), 24)
call('openat2', os.open(d, os.O_PATH), b'/f', how(0, resolve=16), 24)
call('newfstatat', AT, b'none', room(), 0)
call('newfstatat', AT, b'', room(), 0)
call('newfstatat', AT, b'', room(), EMPTY)
call('newfstatat', 99, b'', room(), EMPTY)
call('newfstatat', AT, b'f', None, 0)
call('newfstatat', AT, b'f', room(), 0x40000000)
call('newfstatat', AT, b'link/', room(), NOFOLLOW)
call('newfstatat', AT, b'dangling', room(), 0)
call('newfstatat', AT, b'dangling', room(), NOFOLLOW)
call('fstat', 99, room())
call('fstat', 0, None)
call('statx', AT, b'f', 0x40000000, 0xfff, room())
call('statx', AT, b'f', 0, 0x80000000, room())
call('statx', AT, b'f', 0x6000, 0xfff, room())
call('statx', AT, b'f', 0, 0xfff, None)
call('unlinkat', AT, b'none', 0)
call('unlinkat', AT, b'dir', 0)
call('unlinkat', AT, b'f/', 0)
call('unlinkat', AT, b'link/', 0)
call('unlinkat', AT, b'dir/.', 0)
call('unlinkat', AT, b'/', 0)
call('unlinkat', AT, b'f', 1)
call('unlinkat', AT, b'f', REMOVEDIR)
call('unlinkat', AT, b'full', REMOVEDIR)
call('unlinkat', AT, b'dir/.', REMOVEDIR)
call('unlinkat', AT, b'dir/..', REMOVEDIR)
call('unlinkat', AT, b'/', REMOVEDIR)
call('unlinkat', AT, b'', 0)
call('mkdirat', AT, b'f', 0o700)
call('mkdirat', AT, b'dir', 0o700)
call('mkdirat', AT, b'dir/.', 0o700)
call('mkdirat', AT, b'/', 0o700)
call('mkdirat', AT, b'dangling', 0o700)
call('mkdirat', AT, b'dangling/', 0o700)
call('mkdirat', AT, b'none/x', 0o700)
call('mkdirat', AT, b'', 0o700)
call('mknodat', AT, b'f', 0o010600, 0)
call('mknodat', AT, b'new/', 0o010600, 0)
call('mknodat', AT, b'new', 0o040700, 0)
call('mknodat', AT, b'new', 0o170000, 0)
call('mknodat', AT, b'dangling', 0o100600, 0)
call('symlinkat', b'', AT, b'new')
call('symlinkat', b'x', AT, b'f')
call('symlinkat', b'x', AT, b'new/')
call('symlinkat', b'x' * 4096, AT, b'new')
call('linkat', AT, b'none', AT, b'new', 0)
call('linkat', AT, b'dir', AT, b'new', 0)
call('linkat', AT, b'f', AT, b'g', 0)
call('linkat', AT, b'f', AT, b'new/', 0)
call('linkat', AT, b'f', AT, b'new', 1)
call('linkat', AT, b'dangling', AT, b'new', FOLLOW)
call('linkat', os.open('f', os.O_PATH), b'', AT, b'new', EMPTY)
call('renameat2', AT, b'none', AT, b'new', 0)
call('renameat2', AT, b'f', AT, b'g', 1)
call('renameat2', AT, b'f', AT, b'new', 2)
call('renameat2', AT, b'f', AT, b'new', 3)
call('renameat2', AT, b'f', AT, b'new', 0x100)
call('renameat2', AT, b'f', AT, b'dir', 0)
call('renameat2', AT, b'dir', AT, b'f', 0)
call('renameat2', AT, b'dir', AT, b'full', 0)
call('renameat2', AT, b'dir', AT, b'dir/inner', 0)
call('renameat2', AT, b'dir/', AT, b'new/', 0)
call('renameat2', AT, b'f/', AT, b'new', 0)
call('renameat2', AT, b'f', AT, b'new/', 0)
call('renameat2', AT, b'f', AT, b'f', 0)
call('renameat2', AT, b'.', AT, b'new', 0)
call('renameat2', AT, b'..', AT, b'new', 0)
call('fchmodat', AT, b'none', 0o600)
call('fchmodat', AT, b'dangling', 0o600)
call('fchmodat2', AT, b'link', 0o600, NOFOLLOW)
call('fchmodat2', AT, b'f', 0o600, 0x40000000)
call('fchmod', 99, 0o600)
call('fchmod', os.open('f', os.O_PATH), 0o600)
call('fchownat', AT, b'none', -1, -1, 0)
call('fchownat', AT, b'f', -1, -1, 0)
call('fchownat', AT, b'f', -1, -1, 1)
call('fchown', 99, -1, -1)
call('fchown', os.open('f', os.O_PATH), -1, -1)
call('truncate', b'none', 0)
call('truncate', b'dir', 0)
call('truncate', b'fifo', 0)
call('truncate', b'f', -1)
call('truncate', b'f', 1 << 62)
call('ftruncate', os.open('f', os.O_RDONLY), 0)
call('ftruncate', 99, 0)
call('ftruncate', os.open('f', os.O_WRONLY), -1)
call('ioctl', 99, 0x5401, room())
call('ioctl', os.open('f', os.O_RDONLY), 0x5401, room())
call('ioctl', os.open('f', os.O_PATH), 0x541b, room())
call('fcntl', 99, 4, 0)
call('fcntl', os.open('f', os.O_PATH), 4, 0)
execute('execve', b'none', vector(b'x'), vector())
execute('execve', b'dir', vector(b'x'), vector())
execute('execve', b'f', vector(b'x'), vector())
execute('execve', b'garbage', vector(b'x'), vector())
execute('execve', b'lost', vector(b'x'), vector())
execute('execve', b'f/x', vector(b'x'), vector())
execute('execve', b'loop', vector(b'x'), vector())
execute('execve', b'', vector(b'x'), vector())
execute('execve', b'prog', None, None)
execute('execve', b'prog', 1, vector())
execute('execve', b'prog', vector(b'x', b'y' * 200000), vector())
execute('execve', b'recursive', vector(b'x'), vector())
execute('execveat', os.open('prog', os.O_PATH), b'', vector(b'x'), vector(), EMPTY)
execute('execveat', os.open('prog', os.O_PATH), b'', vector(b'x'), vector(), 0)
execute('execveat', AT, b'prog', vector(b'x'), vector(), 0x40000000)
call('bind', 99, unix(b's'), 4)
call('bind', os.open('f', os.O_RDONLY), unix(b's'), 4)
call('bind', sock(UNIX, STREAM), unix(b'f'), 4)
call('bind', sock(UNIX, STREAM), unix(b'none/s'), 9)
call('bind', sock(UNIX, STREAM), unix(b's'), 200)
call('bind', sock(UNIX, STREAM), None, 4)
call('bind', sock(UNIX, STREAM), unix(b'dangling'), 11)
call('bind', sock(INET, STREAM), inet(0), 4)
call('bind', sock(INET, STREAM), inet(0, '192.0.2.1'), 16)
call('bind', sock(INET, STREAM), inet6(0), 28)
call('listen', 99, 1)
call('listen', sock(INET, DGRAM), 1)
call('listen', sock(UNIX, STREAM), 1)
call('connect', sock(UNIX, STREAM), unix(b'none'), 7)
call('connect', sock(UNIX, STREAM), unix(b'f'), 4)
call('connect', sock(UNIX, DGRAM), unix(b'sock'), 7)
call('connect', sock(INET, STREAM), inet(1), 16)
call('connect', sock(INET, STREAM), inet(1), 3)
call('connect', 99, inet(1), 16)
call('sendto', sock(INET, DGRAM), b'x', 1, 0, inet(9), 3)
call('sendto', sock(INET, DGRAM), b'x', 1, 0, inet6(9), 28)
call('sendto', sock(UNIX, DGRAM), b'x', 1, 0, unix(b'none'), 7)
call('sendto', 99, b'x', 1, 0, inet(9), 16)
call('sendto', sock(INET, DGRAM), None, 1, 0, inet(9), 16)
call('sendto', sock(INET, STREAM), b'x', 1, 0x4000, inet(9), 16)
call('sendto', sock(INET, DGRAM), b'x' * 70000, 70000, 0, inet(9), 16)
call('sendmsg', sock(INET, DGRAM), None, 0)
call('sendmsg', 99, buffer(message(inet(9))), 0)
""".strip().splitlines()
KNOWN = [code for code in CASES if "execute" in code or code.split("'")[1] in NUMBERS]


def _populate(root: Path) -> list[tuple[str, str, str, int, int]]:
    """A directory for each case; the asker's steps."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(0o755)
    steps = []
    for number, code in enumerate(KNOWN):
        place = root / str(number)
        place.mkdir()
        keywords.populate(place, tiny.program())
        (place / "loop").symlink_to("loop")
        (place / "full").mkdir()
        (place / "full" / "x").touch()
        (place / "garbage").write_text("no program")
        (place / "lost").write_text("#!/none/at/all\n")
        (place / "recursive").write_text("#!recursive\n")
        for name in ("garbage", "lost", "recursive"):
            (place / name).chmod(0o755)
        os.mkfifo(place / "fifo")
        with socket.socket(socket.AF_UNIX) as peer:
            peer.bind(str(place / "sock"))
        steps.append((str(number), code, str(place), number, 0))
    return steps


def _outcomes(printed: str) -> dict[str, str]:
    pairs = [line.split("\t") for line in printed.splitlines()]
    return {KNOWN[int(number)]: errno.errorcode.get(int(code), code) for number, code in pairs}


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, dict[str, str]]]:
    """What came of every case natively, learning, enforcing and with a policy that has nothing of it."""
    root = Path(tempfile.mkdtemp(prefix="sekisho-", suffix=".d"))
    try:
        supervised = Supervised(root / "policy")
        plan = root / "plan.json"
        command = [*PYTHON, str(plan)]
        found: dict[str, dict[str, str]] = {}
        for way in ("native", "learn", "run"):
            plan.write_text(json.dumps({"numbers": NUMBERS, "steps": _populate(root / "play")}))
            if way == "native":
                found[way] = _outcomes(supervised.native(*command).out)
                continue
            supervised.forget_records()
            result = supervised.learn(*command) if way == "learn" else supervised.run(*command)
            assert result.status == 0, result.err
            found[way] = _outcomes(result.out)
        found["rejected"] = dict.fromkeys(supervised.rejected(), "")
        yield found
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.mark.parametrize("code", KNOWN)
def test_learning_changes_no_outcome(outcomes: dict[str, dict[str, str]], code: str) -> None:
    assert outcomes["learn"][code] == outcomes["native"][code]


@pytest.mark.parametrize("code", KNOWN)
def test_enforcing_changes_no_outcome(outcomes: dict[str, dict[str, str]], code: str) -> None:
    assert outcomes["run"][code] == outcomes["native"][code]


def test_nothing_was_denied(outcomes: dict[str, dict[str, str]]) -> None:
    assert list(outcomes["rejected"]) == []
