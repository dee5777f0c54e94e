"""A caller's limits count where the supervisor acts in its place."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import limits

ALL = ("file read/write/append/truncate /\\{\\*\\}/\\*", "file create /\\{\\*\\}/\\* 0-07777")


@contextmanager
def limited(which: int, soft: int) -> Iterator[None]:
    """This process, which the supervisor looks at as its caller, has this soft limit meanwhile."""
    before = resource.getrlimit(which)
    resource.setrlimit(which, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(which, before)


def test_descriptors_are_used_up_when_all_below_the_limit_are_open(
    enforcing: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = enforcing.call("accept", 0, 0, 0)
    assert not limits.descriptors_used_up(call)
    monkeypatch.setattr(limits, "_limit", lambda *_: 3)

    assert limits.descriptors_used_up(call)


@pytest.mark.parametrize("flags", [os.O_CREAT | os.O_WRONLY, os.O_TRUNC | os.O_WRONLY])
def test_without_a_descriptor_nothing_is_made_or_truncated(
    enforcing: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: int
) -> None:
    enforcing.allow(*ALL)
    file = tmp_path / "file"
    if flags & os.O_TRUNC:
        file.write_text("text")
    monkeypatch.setattr(limits, "descriptors_used_up", lambda call: True)

    assert -errno.EMFILE == enforcing.handle("openat", 0, file, flags, 0o600)
    assert not file.exists() or file.read_text() == "text"


def test_without_a_descriptor_nobody_is_told_what_isnt_there(
    enforcing: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "descriptors_used_up", lambda call: True)

    assert -errno.EMFILE == enforcing.handle("openat", 0, tmp_path / "none" / "f", os.O_WRONLY | os.O_CREAT)
    assert -errno.ENOENT == enforcing.handle("openat", 0, "", os.O_RDONLY)
    assert -errno.EMFILE == enforcing.handle("openat", 0, tmp_path, os.O_WRONLY)


def test_without_a_descriptor_nobody_waits_for_the_other_end_of_a_fifo(
    enforcing: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enforcing.allow(*ALL)
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr(limits, "descriptors_used_up", lambda call: True)

    assert -errno.EMFILE == enforcing.handle("openat", 0, tmp_path / "fifo", os.O_RDONLY)


def test_a_file_is_not_truncated_to_more_than_its_caller_may_have(enforcing: Stage, tmp_path: Path) -> None:
    enforcing.allow(*ALL)
    file = tmp_path / "file"
    file.write_text("text")
    signals: list[int] = []
    before = signal.signal(signal.SIGXFSZ, lambda number, _: signals.append(number))
    try:
        with limited(resource.RLIMIT_FSIZE, 100), file.open("r+b") as handle, file.open("rb") as reader:
            for name, place in (("truncate", file), ("ftruncate", handle.fileno())):
                assert -errno.EFBIG == enforcing.handle(name, place, 101)
                assert 0 == enforcing.handle(name, place, 100)
            assert -errno.EINVAL == enforcing.handle("ftruncate", reader.fileno(), 101)
    finally:
        signal.signal(signal.SIGXFSZ, before)

    assert [signal.SIGXFSZ] * 2 == signals
    assert 100 == file.stat().st_size


def test_limits_of_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    which, name = resource.RLIMIT_NOFILE, b"Max open files"
    known = limits._limit(os.getpid(), which, name)
    assert known == resource.getrlimit(which)[0]

    def refused(*_: object) -> tuple[int, int]:
        raise PermissionError(errno.EPERM, "")

    monkeypatch.setattr(resource, "prlimit", refused)
    assert known == limits._limit(os.getpid(), which, name)
    assert limits.UNLIMITED == limits._limit(os.getpid(), resource.RLIMIT_FSIZE, b"Max file size")
