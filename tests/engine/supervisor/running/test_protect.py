from __future__ import annotations

import os
import select
import signal
import socket

import pytest
from tests.engine.supervisor import tried
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.engine.supervisor.running import protect
from sekisho.engine.supervisor.system import landlock, libc, procfs


def test_landlock_has_a_version_or_is_not_there() -> None:
    assert landlock.abi() >= 0


def test_without_landlock_there_is_no_scope() -> None:
    def play() -> tuple[int, bool]:
        tried.refuse({"landlock_create_ruleset": 38})
        return landlock.abi(), protect.scope_signals()

    assert (0, False) == tried.in_child(play)


def test_hiding() -> None:
    def play() -> int:
        protect.hide()
        return libc.prctl(3)

    assert 0 == tried.in_child(play)


def test_no_new_privileges() -> None:
    def play() -> bytes:
        protect.no_new_privileges()
        return procfs.field(procfs.read("/proc/self/status"), b"NoNewPrivs").strip()

    assert b"1" == tried.in_child(play)


def scoped(channel: socket.socket) -> None:
    """A child's play: signals whom it is told to, from inside a scope."""
    protect.no_new_privileges()
    channel.send(b"scoped" if protect.scope_signals() else b"no scope")
    while pid := channel.recv(100):
        try:
            os.kill(int(pid), 0)
        except PermissionError:
            channel.send(b"refused")
        else:
            channel.send(b"sent")


def test_a_scope_keeps_signals_inside() -> None:
    with child(wait_for_word) as outside, child(scoped) as inside:
        outside.hear()
        if inside.hear() == b"scoped":
            assert b"refused" == inside.tell(b"%d" % outside.pid)
        assert b"sent" == inside.tell(b"%d" % inside.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_others_may_still_signal_into_a_scope(number: int) -> None:
    with child(scoped) as inside:
        inside.hear()
        os.kill(inside.pid, number)

        assert number == os.WTERMSIG(os.waitpid(inside.pid, 0)[1])


def test_a_supervisor_is_known_by_its_name() -> None:
    def play() -> tuple[bool, bool]:
        before = protect.is_marked(os.getpid())
        protect.mark()
        return before, protect.is_marked(os.getpid())

    assert (False, True) == tried.in_child(play)


def test_ending_with_the_parent() -> None:
    def play(channel: socket.socket) -> None:
        pid = os.fork()
        if not pid:
            protect.end_with_parent(signal.SIGKILL)
            channel.send(b"%d" % os.getpid())
            signal.pause()
        signal.pause()

    with child(play) as made:
        pid = int(made.hear())
        pidfd = os.pidfd_open(pid)
        os.kill(made.pid, signal.SIGKILL)

        assert select.select([pidfd], [], [], 10)[0]
        os.close(pidfd)
