from __future__ import annotations

import ctypes
import errno
import os
import resource
import struct
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.failing import failing

from sekisho.engine.supervisor.acting.queue_actions import open_queue

_FLAGS = os.O_CREAT | os.O_EXCL | os.O_RDWR
_UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture
def name() -> Iterator[bytes]:
    made = b"sekisho-action-%d" % os.getpid()
    yield made
    ctypes.CDLL(None).syscall(241, made)


def test_mode_and_size_are_the_callers(name: bytes) -> None:
    fd = open_queue(name, _FLAGS, 0o666, struct.pack("8q", 0, 3, 50, 0, 0, 0, 0, 0), 0o027, _UNLIMITED)
    text = os.pread(fd, 200, 0)

    assert 0o640 == os.fstat(fd).st_mode & 0o777
    assert text.startswith(b"QSIZE:0")
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_the_callers_own_limit_holds(name: bytes) -> None:
    before = resource.getrlimit(resource.RLIMIT_MSGQUEUE)

    with failing(errno.EMFILE):
        open_queue(name, _FLAGS, 0o600, None, 0, 100)
    assert before == resource.getrlimit(resource.RLIMIT_MSGQUEUE)
