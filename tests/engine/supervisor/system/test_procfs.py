from __future__ import annotations

import os
import signal
import socket
import threading

import pytest
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.engine.supervisor.system import procfs

STATUS = b"Name:\tan:odd\nUmask:\t0022\nUid:\t0\t1\t2\t3\nGroups:\t \nNoNewPrivs:\t1\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Umask", b"\t0022"),
        (b"Uid", b"\t0\t1\t2\t3"),
        (b"Groups", b"\t "),
        (b"NoNewPrivs", b"\t1"),
        (b"Missing", b""),
        (b"odd", b""),
        (b"mask", b""),
    ],
)
def test_field(name: bytes, value: bytes) -> None:
    assert value == procfs.field(STATUS, name)


def test_reading_at_most() -> None:
    assert len(procfs.read("/proc/self/status", 10)) == 10
    assert str(os.getpid()).encode() == procfs.field(procfs.read("/proc/self/status"), b"Pid").strip()


def test_reading_a_file_longer_than_any_buffer() -> None:
    with open("/proc/kallsyms", "rb") as symbols:
        assert procfs.read_all("/proc/kallsyms").startswith(symbols.read()[:500000])


def test_a_task_that_is_gone() -> None:
    with pytest.raises(FileNotFoundError):
        procfs.read("/proc/0/status")
    with pytest.raises(FileNotFoundError):
        procfs.read_all("/proc/0/status")


def test_no_descriptor_is_left() -> None:
    before = os.listdir("/proc/self/fd")
    procfs.read("/proc/self/status")
    procfs.read_all("/proc/self/status")

    assert before == os.listdir("/proc/self/fd")


def signalled(number: signal.Signals, *, blocked: bool = False, ignored: bool = False) -> bool:
    def play(channel: socket.socket) -> None:
        signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, [number] if blocked else [])
        wait_for_word(channel)

    with child(play) as other:
        other.hear()
        os.kill(other.pid, signal.SIGSTOP)
        os.waitpid(other.pid, os.WUNTRACED)
        os.kill(other.pid, number)
        return procfs.signalled(other.pid)


def test_signals_that_end_a_wait() -> None:
    assert signalled(signal.SIGUSR1)
    assert not signalled(signal.SIGUSR1, blocked=True)
    assert not signalled(signal.SIGUSR1, ignored=True)
    assert not signalled(signal.SIGCONT)
    assert not procfs.signalled(threading.get_native_id())
    assert procfs.signalled(0)
