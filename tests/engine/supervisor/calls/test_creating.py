from __future__ import annotations

import errno
import os
import socket

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import limits
from sekisho.engine.supervisor.plan import PROCEED
from sekisho.engine.supervisor.system import sockfilter
from sekisho.policy.model import Config, Mode

V4, V6, UNIX = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX
STREAM, DGRAM, RAW = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW


def made(stage: Stage, *arguments: int) -> socket.socket:
    plan = stage.plan("socket", *arguments)
    answer = plan.perform()
    assert isinstance(answer, int)
    return socket.socket(fileno=answer)


@pytest.mark.parametrize("family", [V4, V6])
def test_a_socket_of_datagrams_has_its_filter_from_the_beginning(enforcing: Stage, family: int) -> None:
    with made(enforcing, family, DGRAM, 0) as sock:
        assert (family, DGRAM) == (sock.family, sock.type)
        assert b"" != sockfilter.attached(sock.fileno())


@pytest.mark.root
def test_a_raw_one_too(enforcing: Stage) -> None:
    with made(enforcing, V4, RAW, 253) as sock:
        assert (RAW, 253) == (sock.type, sock.proto)
        assert b"" != sockfilter.attached(sock.fileno())


@pytest.mark.parametrize("close", [0, socket.SOCK_CLOEXEC])
@pytest.mark.parametrize("wait", [0, socket.SOCK_NONBLOCK])
def test_flags(enforcing: Stage, close: int, wait: int) -> None:
    answer = enforcing.handle("socket", V4, DGRAM | close | wait, 0)

    assert isinstance(answer, tuple)
    assert ("fd", bool(close)) == (answer[0], answer[2])
    with made(enforcing, V4, DGRAM | close | wait, 0) as sock:
        assert os.get_blocking(sock.fileno()) is not bool(wait)


def test_what_the_kernel_does_not_make(enforcing: Stage) -> None:
    assert -errno.EPROTONOSUPPORT == enforcing.handle("socket", V4, DGRAM, 6)


def test_no_descriptor_left(enforcing: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it isn't made; that it could have been is looked at first, as in the kernel."""
    monkeypatch.setattr(limits, "descriptors_used_up", lambda call: True)
    before = len(os.listdir("/proc/self/fd"))

    assert -errno.EMFILE == enforcing.handle("socket", V4, DGRAM, 0)
    assert -errno.EPROTONOSUPPORT == enforcing.handle("socket", V4, DGRAM, 6)
    assert before == len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(("family", "kind"), [(V4, STREAM), (UNIX, DGRAM), (38, 5)])
def test_others_are_the_programs_own(enforcing: Stage, family: int, kind: int) -> None:
    assert PROCEED is enforcing.answer("socket", family, kind, 0)


def test_where_everybody_is_heard(learning: Stage, enforcing: Stage) -> None:
    assert PROCEED is learning.answer("socket", V4, DGRAM, 0)
    profile = enforcing.policy.namespaces["<kernel>"].profiles[3]
    profile.configs["network::inet_dgram_send"] = Config(Mode.LEARNING, grant_log=False, reject_log=True)

    assert PROCEED is enforcing.answer("socket", V4, DGRAM, 0)


def test_in_another_network_namespace(enforcing: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """One made here would be a socket of this one."""
    monkeypatch.setattr(enforcing.supervisor.earshot, "_network", "net:[1]")

    assert PROCEED is enforcing.answer("socket", V4, DGRAM, 0)


def test_capabilities_are_asked_for_as_ever(enforcing: Stage) -> None:
    assert ["capability use_route"] == enforcing.asks("socket", socket.AF_NETLINK, RAW, 0)
    assert ["capability use_packet"] == enforcing.asks("socket", V4, 10, 0)
