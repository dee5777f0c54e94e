from __future__ import annotations

import errno
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.supervisor.failing import failing

from sekisho.engine.supervisor.acting import messages
from sekisho.engine.supervisor.acting.here import Fd
from sekisho.engine.supervisor.acting.messages import Failure

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.binary(), st.text(), st.just(Failure(2)), st.just(Fd(-1))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.tuples(inner, inner, inner)),
)


@given(values)
def test_what_is_sent_arrives(value: object) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    messages.send(here, value)

    assert value == messages.receive(there)
    here.close()
    there.close()


def test_descriptors_travel_and_are_not_inherited() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with open("/dev/null", "rb") as file:
        messages.send(here, ("name", [Fd(file.fileno()), 7, Fd(-1)]))
    name, (fd, number, none) = messages.receive(there)

    assert ("name", 7, -1, True) == (name, number, none, isinstance(none, Fd))
    assert "/dev/null" == os.readlink(f"/proc/self/fd/{fd}")
    assert not os.get_inheritable(fd)
    os.close(fd)
    here.close()
    there.close()


@pytest.mark.parametrize("size", [1 << 16, 1 << 22])
def test_a_message_larger_than_any_socket_takes(size: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    data = os.urandom(size)
    with open("/dev/null", "rb") as file:
        messages.send(here, (data, Fd(file.fileno())))
    got, fd = messages.receive(there)

    assert data == got
    assert "/dev/null" == os.readlink(f"/proc/self/fd/{fd}")
    os.close(fd)
    here.close()
    there.close()
    assert before == len(os.listdir("/proc/self/fd"))


def test_what_comes_without_its_descriptors_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with open("/dev/null", "rb") as file:
        messages.send(here, [Fd(file.fileno()), Fd(file.fileno())])
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(messages, "_MAX_FDS", 1)
    with failing(errno.EMFILE):
        messages.receive(there)

    assert before == len(os.listdir("/proc/self/fd"))
    here.close()
    there.close()
