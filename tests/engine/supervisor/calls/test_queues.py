from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.acting.here import Fd

_LIBC = ctypes.CDLL(None)


@pytest.fixture
def name() -> Iterator[bytes]:
    made = b"sekisho-test-%d" % os.getpid()
    yield made
    _LIBC.syscall(241, made)


@pytest.mark.parametrize(
    ("flags", "words"),
    [(os.O_RDONLY, ["read"]), (os.O_WRONLY, ["write"]), (os.O_RDWR | os.O_CREAT | os.O_APPEND, ["read", "write"])],
)
def test_a_queue_is_asked_for_as_a_file(enforcing: Stage, name: bytes, flags: int, words: list[str]) -> None:
    asked = enforcing.asks("mq_open", enforcing.pointer(name + b"\0"), flags, 0o600, 0)

    assert [f"file {word} mqueue:/{name.decode()}" for word in words] == asked


@pytest.mark.parametrize(("flags", "closed"), [(0, False), (os.O_CLOEXEC, True)])
def test_it_is_opened_and_handed_over(enforcing: Stage, name: bytes, flags: int, closed: bool) -> None:
    arguments = ("mq_open", enforcing.pointer(name + b"\0"), flags | os.O_CREAT | os.O_RDWR, 0o600, 0)
    opened = enforcing.plan(*arguments).perform()

    assert isinstance(opened, Fd)
    assert os.readlink(f"/proc/self/fd/{opened}") == "/" + name.decode()
    os.close(opened)


def test_what_isnt_allowed_isnt_made(enforcing: Stage, name: bytes) -> None:
    at = enforcing.pointer(name + b"\0")

    assert -errno.EPERM == enforcing.handle("mq_open", at, os.O_CREAT | os.O_RDWR, 0o600, 0)
    with pytest.raises(FileNotFoundError):
        enforcing.plan("mq_open", at, os.O_RDWR, 0, 0).perform()
