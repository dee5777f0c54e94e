"""The process that a shell sees, played in a child, and the supervisor's end of its talk."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.engine.supervisor.forked import Child, child, wait_for_word

from sekisho.engine.supervisor.running import front
from sekisho.engine.supervisor.running.front import Back, Front


@dataclass
class Shown:
    """A front in a child, our end of its talk, and what it writes to standard error."""

    front: Child
    back: Back
    errors: int

    def status(self) -> int:
        """How the front ended."""
        return os.waitstatus_to_exitcode(os.waitpid(self.front.pid, 0)[1])

    def said(self) -> str:
        """All that was written, once the front has ended."""
        with open(self.errors, "rb", closefd=False) as lines:
            return lines.read().decode()


@contextlib.contextmanager
def shown() -> Iterator[Shown]:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    errors, writing = os.pipe()

    def play(channel: socket.socket) -> None:
        here.close()
        os.dup2(writing, 2)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        front.block()
        channel.send(b"ready")
        status = Front(there, os.getppid()).wait()
        sys.stderr.flush()
        os._exit(status)

    with child(play) as made:
        there.close()
        os.close(writing)
        made.hear()
        yield Shown(made, Back(here, made.pid), errors)
    here.close()
    os.close(errors)


def wait_until(pid: int, state: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        with open(f"/proc/{pid}/stat") as line:
            if line.read().rpartition(")")[2].split()[0] == state:
                return
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("status", [0, 1, 130])
def test_the_front_ends_as_the_command_did(status: int) -> None:
    with shown() as made:
        made.back.tell(f"exit {status}")

        assert status == made.status()


def test_what_is_said_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    with shown() as made:
        made.back.say("one thing; another")
        made.back.say("関所")
        made.back.tell("exit 0")
        made.status()

        assert "sekisho: one thing; another\nsekisho: 関所\n" == made.said()


def test_the_front_stops_with_the_command_and_goes_on() -> None:
    with shown() as made:
        made.back.tell("stopped")
        wait_until(made.front.pid, "T")
        os.kill(made.front.pid, signal.SIGCONT)
        made.back.tell("exit 3")

        assert 3 == made.status()


def test_a_supervisor_that_dies_takes_the_command_along() -> None:
    with child(wait_for_word) as command, shown() as made:
        command.hear()
        made.back.tell(f"command {command.pid}")
        made.back.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(made.front.pid, signal.SIGCHLD)

        assert 137 == made.status()
        assert "the supervisor died" in made.said()
        assert -signal.SIGKILL == os.waitstatus_to_exitcode(os.waitpid(command.pid, 0)[1])


def test_signals_from_others_reach_the_command() -> None:
    """This process plays the supervisor, whose own signals are none; so a child sends it."""
    with child(wait_for_word) as command, shown() as made:
        command.hear()
        made.back.tell(f"command {command.pid}")

        def play(channel: socket.socket) -> None:
            os.kill(made.front.pid, signal.SIGTERM)
            channel.send(b"sent")

        with child(play) as sender:
            sender.hear()
            assert -signal.SIGTERM == os.waitstatus_to_exitcode(os.waitpid(command.pid, 0)[1])
        made.back.tell("exit 143")
        assert 143 == made.status()


def test_nothing_is_said_to_a_front_that_is_gone() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    there.close()
    back = Back(here, 0)
    back.tell("exit 0")

    assert 0 == back.front
    here.close()


def test_a_supervisor_that_dies_is_missed_although_the_command_holds_its_end_of_the_talk() -> None:
    """As it does until it executes something."""

    def play(channel: socket.socket) -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        front.block()
        pid = os.fork()
        if not pid:
            signal.pause()
        os.kill(pid, signal.SIGKILL)
        channel.send(b"%d" % Front(here, pid).wait())
        there.close()

    with child(play) as made:
        made.channel.settimeout(10)
        assert b"137" == made.hear()


def test_standard_error_may_be_full() -> None:
    def play(channel: socket.socket) -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stderr = open("/dev/full", "w", buffering=1)  # noqa: SIM115
        front.block()
        for line in (b"say something", b"exit 5"):
            there.send(line)
        channel.send(b"%d" % Front(here, os.getpid()).wait())
        os._exit(0)

    with child(play) as made:
        made.channel.settimeout(10)
        assert b"5" == made.hear()
