"""Descriptors that send signals: their owner and their signal are asked for."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.forked import child, wait_for_word
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import owners

F_GETOWN_EX = 16
IO, URG = "ipc signal 29 <kernel>", "ipc signal 23 <kernel>"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, int]]:
    """A socket and one end of a pipe."""
    one, two = socket.socketpair()
    reading, writing = os.pipe()
    yield one, reading
    for each in (one, two):
        each.close()
    for fd in (reading, writing):
        os.close(fd)


def test_an_owner_is_asked_for(enforcing: Stage, ends: tuple[socket.socket, int]) -> None:
    sock, pipe = ends
    owner = struct.pack("ii", 1, 1)

    assert [IO] == enforcing.asks("fcntl", pipe, owners.F_SETOWN, 1)
    assert [URG, IO] == enforcing.asks("fcntl", sock.fileno(), owners.F_SETOWN, 1)
    assert [IO] == enforcing.asks("fcntl", pipe, owners.F_SETOWN_EX, enforcing.pointer(owner))
    for command in (owners.FIOSETOWN, owners.SIOCSPGRP):
        number = enforcing.pointer(struct.pack("i", 1))
        assert [URG, IO] == enforcing.asks("ioctl", sock.fileno(), command, number)[1:]


def test_the_signal_is_the_descriptors(enforcing: Stage, ends: tuple[socket.socket, int]) -> None:
    fcntl.fcntl(ends[1], fcntl.F_SETSIG, signal.SIGUSR2)

    assert ["ipc signal 12 <kernel>"] == enforcing.asks("fcntl", ends[1], owners.F_SETOWN, 1)


def test_a_signal_is_asked_for_by_its_owner(enforcing: Stage, ends: tuple[socket.socket, int]) -> None:
    assert [] == enforcing.asks("fcntl", ends[1], owners.F_SETSIG, signal.SIGUSR2)
    fcntl.fcntl(ends[1], fcntl.F_SETOWN, 1)

    assert ["ipc signal 12 <kernel>"] == enforcing.asks("fcntl", ends[1], owners.F_SETSIG, signal.SIGUSR2)


def test_both_are_done_in_the_callers_place(enforcing: Stage, ends: tuple[socket.socket, int]) -> None:
    with child(wait_for_word) as other:
        other.hear()
        enforcing.allow("ipc signal 10-29 <kernel>")

        assert 0 == enforcing.handle("fcntl", ends[1], owners.F_SETSIG, signal.SIGUSR2)
        assert 0 == enforcing.handle("fcntl", ends[1], owners.F_SETOWN, other.pid)

        assert (signal.SIGUSR2, other.pid) == (
            fcntl.fcntl(ends[1], fcntl.F_GETSIG),
            fcntl.fcntl(ends[1], fcntl.F_GETOWN),
        )


def test_without_a_line_nothing_changes(enforcing: Stage, ends: tuple[socket.socket, int]) -> None:
    assert -errno.EPERM == enforcing.handle("fcntl", ends[1], owners.F_SETOWN, 1)
    assert [IO] == enforcing.recorded
    assert 0 == fcntl.fcntl(ends[1], fcntl.F_GETOWN)


@pytest.mark.parametrize(("command", "value"), [(owners.F_SETOWN, 0), (owners.F_SETOWN_EX, struct.pack("ii", 1, 0))])
def test_no_owner_is_made_here_since_it_may_stand_in_memory(
    enforcing: Stage, ends: tuple[socket.socket, int], command: int, value: int | bytes
) -> None:
    pointer = enforcing.pointer(value) if isinstance(value, bytes) else value
    fcntl.fcntl(ends[1], fcntl.F_SETOWN, os.getpid())

    assert 0 == enforcing.handle("fcntl", ends[1], command, pointer)
    assert 0 == fcntl.fcntl(ends[1], fcntl.F_GETOWN)


@pytest.mark.parametrize(
    ("value", "code"),
    [(struct.pack("ii", 9, 1), errno.EINVAL), (struct.pack("ii", 1, -1), errno.ESRCH), (-(1 << 31), errno.EINVAL)],
)
def test_what_is_no_owner_fails(
    enforcing: Stage, ends: tuple[socket.socket, int], value: int | bytes, code: int
) -> None:
    command = owners.F_SETOWN_EX if isinstance(value, bytes) else owners.F_SETOWN
    pointer = enforcing.pointer(value) if isinstance(value, bytes) else value

    assert -code == enforcing.handle("fcntl", ends[1], command, pointer)


def test_oneself_as_owner(enforcing: Stage, ends: tuple[socket.socket, int]) -> None:
    assert [] == enforcing.asks("fcntl", ends[1], owners.F_SETOWN, os.getpid())
    assert 0 == enforcing.handle("fcntl", ends[1], owners.F_SETOWN, os.getpid())
    assert os.getpid() == fcntl.fcntl(ends[1], fcntl.F_GETOWN)


def test_a_group_as_owner(enforcing: Stage, ends: tuple[socket.socket, int]) -> None:
    with child(wait_for_word) as other:
        other.hear()
        os.setpgid(other.pid, other.pid)
        enforcing.allow("ipc signal 29 <kernel>")

        assert 0 == enforcing.handle("fcntl", ends[1], owners.F_SETOWN, -other.pid)
        assert (2, other.pid) == struct.unpack("ii", fcntl.fcntl(ends[1], F_GETOWN_EX, bytes(8)))
