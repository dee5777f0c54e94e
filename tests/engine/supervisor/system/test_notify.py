"""The listener's talk with the kernel, on this process's own filter in children, and where its caller is gone."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import socket
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.forked import Child, child

from sekisho.engine.supervisor.running import filterload, protect
from sekisho.engine.supervisor.system import abi, bpf, libc, notify
from sekisho.engine.supervisor.system.notify import Listener, Notification

ARCHITECTURE = abi.native()
assert ARCHITECTURE is not None
GETPGID = ARCHITECTURE.numbers["getpgid"]
NOWHERE = 0xDEAD


def ask(channel: socket.socket) -> None:
    """A child's play: each word makes one call that stops; its result, or its negative errno, is told."""
    assert ARCHITECTURE is not None
    protect.no_new_privileges()
    number = filterload.install(bpf.assemble(ARCHITECTURE.audit, ARCHITECTURE.foreign_bit, {GETPGID: ()}))
    socket.send_fds(channel, [b"listener"], [number])
    os.close(number)
    while channel.recv(100):
        try:
            channel.send(b"%d" % libc.syscall("getpgid", 7, NOWHERE))
        except OSError as error:
            channel.send(b"%d" % -(error.errno or 0))


@contextlib.contextmanager
def asking() -> Iterator[tuple[Child, Listener]]:
    with child(ask) as asker:
        fd = socket.recv_fds(asker.channel, 100, 1)[1][0]
        try:
            yield asker, Listener(fd)
        finally:
            os.close(fd)


def next_call(asker: Child, listener: Listener) -> Notification:
    asker.channel.send(b"go")
    assert select.select([listener.fd], [], [], 20)[0]
    got = listener.receive()
    assert got is not None
    return got


def test_what_is_seen_of_a_call() -> None:
    with asking() as (asker, listener):
        got = next_call(asker, listener)

        assert (asker.pid, GETPGID, 7, NOWHERE) == (got.tid, got.nr, *got.args[:2])
        assert ARCHITECTURE is not None and got.arch == ARCHITECTURE.audit
        assert listener.valid(got.id)
        assert not listener.valid(got.id + 1)


@pytest.mark.parametrize("value", [0, 1, 4242, 1 << 40, -1, -errno.EPERM, -4095])
def test_answering_with_a_value(value: int) -> None:
    with asking() as (asker, listener):
        assert listener.finish(next_call(asker, listener).id, value)

        assert value == int(asker.hear())


def test_letting_a_call_run() -> None:
    with asking() as (asker, listener):
        assert listener.proceed(next_call(asker, listener).id)

        assert -errno.ESRCH == int(asker.hear()) or os.getpgid(7) >= 0


def test_handing_a_descriptor_over() -> None:
    with asking() as (asker, listener), open("/dev/null", "rb") as file:
        assert listener.hand_over(next_call(asker, listener).id, file.fileno(), os.O_CLOEXEC)

        number = int(asker.hear())
        assert "/dev/null" == os.readlink(f"/proc/{asker.pid}/fd/{number}")


def test_a_full_table_of_descriptors() -> None:
    with asking() as (asker, listener), open("/dev/null", "rb") as file:
        got = next_call(asker, listener)
        limit = ctypes.create_string_buffer(bytes(16), 16)
        libc.syscall("prlimit64", asker.pid, 7, limit, None)

        assert listener.hand_over(got.id, file.fileno(), 0)
        assert -errno.EMFILE == int(asker.hear())


def test_an_answer_that_was_given_already() -> None:
    with asking() as (asker, listener), open("/dev/null", "rb") as file:
        got = next_call(asker, listener)
        assert listener.finish(got.id, 0)
        asker.hear()

        assert not listener.valid(got.id)
        assert not listener.finish(got.id, 0)
        assert not listener.proceed(got.id)
        assert not listener.hand_over(got.id, file.fileno(), 0)


def test_a_caller_that_died() -> None:
    with asking() as (asker, listener):
        got = next_call(asker, listener)
        os.kill(asker.pid, 9)
        os.waitpid(asker.pid, 0)

        assert not listener.valid(got.id)
        assert not listener.finish(got.id, 0)


def test_a_descriptor_that_is_no_listener() -> None:
    with open("/dev/null", "rb") as file:
        assert not Listener(file.fileno()).wake_synchronously()
        with failing(errno.ENOTTY):
            Listener(file.fileno()).receive()


def test_structures_have_the_sizes_that_the_requests_name() -> None:
    sizes = {request: request >> 16 & 0x3FFF for request in (notify.RECV, notify.SEND, notify.ADDFD, notify.ID_VALID)}

    assert sizes == {
        notify.RECV: notify.NOTIFICATION.size,
        notify.SEND: notify.RESPONSE.size,
        notify.ADDFD: notify.DESCRIPTOR.size,
        notify.ID_VALID: 8,
    }
