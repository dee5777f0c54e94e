"""The process that becomes the command, without a supervisor: its filter lets everything run."""

from __future__ import annotations

import os
import signal
import socket
import struct
from pathlib import Path

import pytest
from tests.engine.supervisor import tried
from tests.engine.supervisor.forked import Child, child

from sekisho.engine.supervisor.running import command
from sekisho.engine.supervisor.running.command import READY
from sekisho.engine.supervisor.system import abi, bpf

PROGRAM = bpf.assemble(getattr(abi.native(), "audit", 0), 0, {})
SHELL = "/bin/sh"


def becoming(path: str, *arguments: str, out: int = -1, go: bytes = b"go") -> tuple[int, bytes]:
    """(exit status, first message) of a child that becomes ``path``."""

    def play(channel: socket.socket) -> None:
        if out >= 0:
            os.dup2(out, 1)
            os.dup2(out, 2)
        command.become(
            path, [path, *arguments], PROGRAM, channel, set(), supervisor=os.getppid(), privileged=False, scoped=False
        )

    with child(play) as made:
        message = made.hear()
        made.channel.send(go)
        return _status(made), message


def _status(made: Child) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(made.pid, 0)[1])


def said(path: str, *arguments: str) -> tuple[int, str]:
    """(exit status, what it wrote)."""
    reading, writing = os.pipe()
    status, _ = becoming(path, *arguments, out=writing)
    os.close(writing)
    with open(reading, "rb") as all_of_it:
        return status, all_of_it.read().decode()


def test_the_listener_is_told_and_the_command_runs() -> None:
    status, message = becoming(SHELL, "-c", "exit 7")

    assert 7 == status
    assert message.startswith(READY)
    number, scoped = struct.unpack("ii", message[len(READY) :])
    assert number >= 0 and not scoped


def test_the_command_doesnt_have_the_listener() -> None:
    status, text = said(SHELL, "-c", "ls -l /proc/self/fd")

    assert 0 == status
    assert "seccomp" not in text


@pytest.mark.parametrize(("kind", "code"), [("absent", 127), ("plain", 126), ("folder", 126)])
def test_what_cant_be_run(tmp_path: Path, kind: str, code: int) -> None:
    (tmp_path / "plain").write_text("text")
    (tmp_path / "folder").mkdir()
    status, text = said(str(tmp_path / kind))

    assert code == status
    assert text.startswith(f"sekisho: {tmp_path}/{kind}: ")


def test_without_a_go_nothing_runs() -> None:
    assert 126 == becoming(SHELL, "-c", "exit 7", go=b"stop")[0]


def test_a_kernel_that_refuses_is_told() -> None:
    def play(channel: socket.socket) -> None:
        tried.refuse({"seccomp": 1})
        command.become(SHELL, [SHELL], PROGRAM, channel, set(), supervisor=os.getppid(), privileged=False, scoped=False)

    with child(play) as made:
        message, _, hint = made.hear().decode().partition("\n")

    assert message.startswith("seccomp user notification")
    assert "container" in hint


def test_an_ordinary_command_gains_no_rights() -> None:
    status, text = said(SHELL, "-c", "grep NoNewPrivs /proc/self/status")

    assert (0, "1") == (status, text.split()[-1])


def test_signals_are_as_they_were() -> None:
    def play() -> list[object]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        command._undo_interpreter()
        found: list[object] = [signal.getsignal(number) for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)]
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        command._undo_interpreter()
        return [*found, signal.getsignal(signal.SIGINT)]

    assert [signal.SIG_DFL, signal.SIG_DFL, signal.SIG_DFL, signal.SIG_IGN] == tried.in_child(play)


def test_the_environment_is_the_one_we_were_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADDED_LATER", "1")

    assert b"ADDED_LATER" not in command._environment()
