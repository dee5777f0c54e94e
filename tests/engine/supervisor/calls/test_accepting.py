from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

import pytest
from tests.engine.supervisor.calls.test_waiting import turn
from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.failing import failing
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import limits
from sekisho.engine.supervisor.plan import PROCEED
from sekisho.policy.model import Config, Mode

STREAM = socket.SOCK_STREAM
ALL = ("network inet stream accept 127.0.0.1 0-65535",)


def listening(sockets: Sockets) -> socket.socket:
    sock = sockets(socket.AF_INET, STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen(8)
    return sock


def client(sockets: Sockets, of: socket.socket, host: str = "127.0.0.1") -> socket.socket:
    sock = sockets(socket.AF_INET, STREAM)
    sock.bind((host, 0))
    sock.connect(of.getsockname())
    sock.settimeout(10)
    return sock


def was_reset(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def test_the_peer_is_asked_for(enforcing: Stage, sockets: Sockets) -> None:
    sock = listening(sockets)
    port = client(sockets, sock).getsockname()[1]
    room, buffer = enforcing.room()

    plan = enforcing.plan("accept4", sock.fileno(), room, enforcing.pointer(struct.pack("i", 128)), os.O_NONBLOCK)

    assert [f"network inet stream accept 127.0.0.1 {port}"] == [
        f"{request.operation.keyword} {request.arguments[0]} {request.arguments[1]}" for request in plan.requests
    ]
    fd = plan.perform()
    assert isinstance(fd, int) and not os.get_blocking(fd)
    assert struct.pack("!H4s", port, socket.inet_aton("127.0.0.1")) == buffer.raw[2:8]
    os.close(fd)


@pytest.mark.parametrize("kind", [STREAM, socket.SOCK_SEQPACKET])
def test_a_local_peer_mostly_has_no_name(learning: Stage, sockets: Sockets, tmp_path: Path, kind: int) -> None:
    sock, other = sockets(socket.AF_UNIX, kind), sockets(socket.AF_UNIX, kind)
    sock.bind(str(tmp_path / "socket"))
    sock.listen()
    other.connect(str(tmp_path / "socket"))

    answer = learning.handle("accept", sock.fileno(), 0, 0)

    assert isinstance(answer, tuple) and answer[0] == "fd"
    word = "stream" if kind == STREAM else "seqpacket"
    assert [f"network unix {word} accept anonymous"] == learning.learned


def test_a_peer_that_is_refused_is_reset_and_the_next_is_waited_for(enforcing: Stage, sockets: Sockets) -> None:
    enforcing.allow(*ALL)
    sock = listening(sockets)
    refused = client(sockets, sock, "127.0.0.2")

    assert enforcing.handle("accept", sock.fileno(), 0, 0) is None
    assert was_reset(refused)
    assert [f"network inet stream accept 127.0.0.2 {refused.getsockname()[1]}"] == enforcing.recorded
    assert turn(enforcing, 0.2) is None
    client(sockets, sock)
    assert isinstance(turn(enforcing), tuple)


def test_refused_where_nobody_waits(enforcing: Stage, sockets: Sockets) -> None:
    enforcing.allow(*ALL)
    sock = listening(sockets)
    sock.setblocking(False)
    refused = client(sockets, sock, "127.0.0.2")

    enforcing.handle("accept", sock.fileno(), 0, 0)
    assert -errno.EAGAIN == turn(enforcing)
    assert was_reset(refused)

    client(sockets, sock, "127.0.0.2")
    client(sockets, sock)
    enforcing.handle("accept", sock.fileno(), 0, 0)
    assert isinstance(turn(enforcing), tuple)


def test_what_cant_be_written_back_loses_the_connection(enforcing: Stage, sockets: Sockets) -> None:
    enforcing.allow(*ALL)
    sock = listening(sockets)
    other = client(sockets, sock)

    assert -errno.EFAULT == enforcing.handle("accept", sock.fileno(), 8, 8)
    assert was_reset(other)


def test_a_connection_waits_for_the_administrator(enforcing: Stage, sockets: Sockets) -> None:
    """Taken out of the queue once, it is still there when policy is asked again."""
    sock = listening(sockets)
    port = client(sockets, sock).getsockname()[1]
    questions = enforcing.supervisor.questions
    questions.observe()

    enforcing.supervisor.take(enforcing.notification("accept", sock.fileno(), 0, 0))
    (question,) = questions.pending()
    assert [] == enforcing.listener.answers
    questions.answer(question.serial, 1)

    assert [True] == [isinstance(answer, tuple) for answer in enforcing.listener.answers]
    assert [f"network inet stream accept 127.0.0.1 {port}"] == enforcing.recorded


def test_a_connection_that_the_administrator_refuses(enforcing: Stage, sockets: Sockets) -> None:
    sock = listening(sockets)
    other = client(sockets, sock)
    questions = enforcing.supervisor.questions
    questions.observe()
    enforcing.supervisor.take(enforcing.notification("accept", sock.fileno(), 0, 0))

    questions.answer(questions.pending()[0].serial, 0)

    assert was_reset(other)
    assert [] == enforcing.listener.answers


def test_a_connection_whose_caller_is_gone_is_anothers(
    enforcing: Stage, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    sock = listening(sockets)
    client(sockets, sock)
    enforcing.supervisor.questions.observe()
    enforcing.supervisor.take(enforcing.notification("accept", sock.fileno(), 0, 0))
    monkeypatch.setattr(enforcing.listener, "valid", lambda ident: ident != 1)

    enforcing.allow(*ALL)
    later = enforcing.notification("accept", sock.fileno(), 0, 0)._replace(id=2)
    enforcing.supervisor.take(later)

    assert isinstance(enforcing.listener.answers[-1], tuple)


def test_what_policy_has_no_word_for(enforcing: Stage, sockets: Sockets) -> None:
    """Only the kernel accepts, unless the descriptor may be swapped meanwhile."""
    sock = listening(sockets)
    client(sockets, sock)
    profile = enforcing.policy.namespaces["<kernel>"].profiles[3]
    profile.configs["network::inet_stream_accept"] = Config(Mode.DISABLED, grant_log=False, reject_log=False)

    assert PROCEED is enforcing.answer("accept", sock.fileno(), 0, 0)
    enforcing.process.shares_files = True
    fd = enforcing.plan("accept", sock.fileno(), 0, 0).perform()
    assert isinstance(fd, int)
    os.close(fd)


def test_unknown_flags(enforcing: Stage, sockets: Sockets) -> None:
    with failing(errno.EINVAL):
        enforcing.answer("accept4", listening(sockets).fileno(), 0, 0, 1)


def test_a_full_descriptor_table_leaves_the_connection_where_it_is(
    enforcing: Stage, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    enforcing.allow(*ALL)
    sock = listening(sockets)
    client(sockets, sock)
    with monkeypatch.context() as full:
        full.setattr(limits, "descriptors_used_up", lambda call: True)
        assert -errno.EMFILE == enforcing.handle("accept", sock.fileno(), 0, 0)

    assert isinstance(enforcing.handle("accept", sock.fileno(), 0, 0), tuple)
