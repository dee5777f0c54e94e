from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.engine.supervisor.programs import image
from sekisho.engine.supervisor.programs.image import Image, difference

ARGV = (sys.executable, "-I", "-S", "-c", "print(flush=True); input()")
ENVP = {"A": "1", "EMPTY": "", "B": "two words"}


@pytest.fixture
def running() -> Iterator[int]:
    started = subprocess.Popen(ARGV, env=ENVP, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert started.stdout is not None
    started.stdout.readline()
    yield started.pid
    started.kill()
    started.communicate()


def checked(
    argv: tuple[str, ...] | None = ARGV, envp: tuple[str, ...] | None = None, file: str = sys.executable
) -> tuple[tuple[int, int], tuple[bytes, ...] | None, tuple[bytes, ...]]:
    status = os.stat(file)
    words = envp if envp is not None else tuple(f"{name}={value}" for name, value in ENVP.items())
    return (
        (status.st_dev, status.st_ino),
        None if argv is None else tuple(map(os.fsencode, argv)),
        tuple(map(os.fsencode, words)),
    )


def test_what_was_checked_is_what_runs(running: int) -> None:
    assert difference(running, *checked()) is None
    assert difference(running, *checked(argv=None)) is None


def test_what_was_swapped_is_said(running: int) -> None:
    assert "executed file" in (difference(running, *checked(file="/bin/sh")) or "")
    assert "arguments" in (difference(running, *checked(argv=(*ARGV, "more"))) or "")
    assert "arguments" in (difference(running, *checked(argv=())) or "")
    assert "environment" in (difference(running, *checked(envp=())) or "")
    assert "environment" in (difference(running, *checked(envp=("A=1", "EMPTY="))) or "")


def test_an_image_is_its_own(running: int) -> None:
    assert Image.of(running) == Image.of(running)
    assert Image.of(running) != Image.of(os.getpid())


def test_a_fork_runs_the_same_image() -> None:
    with child(wait_for_word) as other:
        other.hear()

        assert Image.of(os.getpid()) == Image.of(other.pid)


def test_the_same_program_again_is_another_image(running: int) -> None:
    again = subprocess.Popen(ARGV, env=ENVP, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert again.stdout is not None
    again.stdout.readline()

    assert Image.of(again.pid) != Image.of(running)
    again.send_signal(signal.SIGKILL)
    again.communicate()


def test_the_file_that_runs() -> None:
    status = os.stat("/proc/self/exe")

    assert (status.st_dev, status.st_ino) == image.file_of(os.getpid())
