"""Whom a program hears on its own sockets: by read(2), at which nobody looks, and through the supervisor."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.calls.test_receiving import bound, receive
from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.decide.decision import Decision
from sekisho.decide.request import Request
from sekisho.engine.supervisor.acting.actions import Fd
from sekisho.engine.supervisor.calls.sockets import Sock, described
from sekisho.engine.supervisor.system import sockfilter
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Domain, Mode

DGRAM, V4, V6 = socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6
NEAR = "network inet dgram recv 127.0.0.1 0-65535"
OTHER = "network inet dgram recv 127.0.0.2 0-65535"
DONTWAIT = socket.MSG_DONTWAIT


def sock_of(near: socket.socket) -> Sock:
    found = described(Fd(near.fileno()))
    assert found is not None
    return found


def tune(stage: Stage, near: socket.socket) -> None:
    stage.supervisor.earshot.tune(stage.domain, sock_of(near))


@pytest.fixture
def near(sockets: Sockets) -> socket.socket:
    made = bound(sockets)
    made.setblocking(False)
    return made


def heard(near: socket.socket, *hosts: str, data: bytes = b"hello") -> list[bytes | None]:
    """What read(2) gives when somebody at each of ``hosts`` sends something; None for nothing at all."""
    found: list[bytes | None] = []
    for host in hosts:
        with socket.socket(V6 if ":" in host else V4, near.type, near.proto) as far:
            far.bind((host, 0))
            far.sendto(data, (near.getsockname()[0], near.getsockname()[1]))
        try:
            found.append(os.read(near.fileno(), 100))
        except BlockingIOError:
            found.append(None)
    return found


def test_strangers_are_heard_without_a_word(enforcing: Stage, near: socket.socket) -> None:
    enforcing.allow(OTHER)
    assert [b"hello", b"hello"] == heard(near, "127.0.0.1", "127.0.0.2")

    tune(enforcing, near)

    assert [b"", b"hello", b""] == heard(near, "127.0.0.1", "127.0.0.2", "127.0.0.1")


@pytest.mark.parametrize(("host", "kept"), [("::1", b"hello"), ("127.0.0.1", b""), ("127.0.0.2", b"hello")])
def test_on_a_socket_of_ipv6(enforcing: Stage, sockets: Sockets, host: str, kept: bytes) -> None:
    """Who speaks IPv4 is named as IPv6 has it there."""
    enforcing.allow("network inet dgram recv ::ffff:127.0.0.2 0-65535", "network inet dgram send ::1 0-65535", NEAR)
    near = sockets(V6, DGRAM)
    near.bind(("::", 0))
    near.setblocking(False)
    tune(enforcing, near)

    with socket.socket(V6 if ":" in host else V4, DGRAM) as far:
        far.bind((host, 0))
        far.sendto(b"hello", ("::1" if ":" in host else "127.0.0.1", near.getsockname()[1]))

    assert kept == os.read(near.fileno(), 100)


@pytest.mark.root
@pytest.mark.parametrize(("family", "hosts", "expected"), [
    (V4, ("127.0.0.1", "127.0.0.2"), [b"hello", b"E"]),
    (V6, ("::1",), [None]),
])  # fmt: skip
def test_raw_sockets(enforcing: Stage, family: int, hosts: tuple[str, ...], expected: list[bytes | None]) -> None:
    """Of IPv4 one byte is left, which says IPv4; of IPv6 it would be a byte of the sender's."""
    enforcing.allow("network inet raw recv 127.0.0.1 253", "network inet raw recv ::1 252")
    with socket.socket(family, socket.SOCK_RAW, 253) as near:
        near.bind((hosts[0], 0))
        near.setblocking(False)
        tune(enforcing, near)

        assert expected == [each and each[-5:] for each in heard(near, *hosts)]


def test_other_sockets_are_left_alone(enforcing: Stage, sockets: Sockets) -> None:
    for each in (sockets(socket.AF_UNIX, DGRAM), sockets(V4, socket.SOCK_STREAM)):
        tune(enforcing, each)
        assert b"" == sockfilter.attached(each.fileno())


@pytest.mark.parametrize("mode", [Mode.LEARNING, Mode.PERMISSIVE, Mode.DISABLED])
def test_where_nothing_is_enforced_everybody_is_heard(learning: Stage, near: socket.socket, mode: Mode) -> None:
    learning.policy.forced_mode = mode
    tune(learning, near)

    assert b"" == sockfilter.attached(near.fileno())
    assert not learning.supervisor.earshot.holds(learning.domain, "dgram")


def test_large_datagrams_small_ones_and_many_in_one(enforcing: Stage, near: socket.socket) -> None:
    """UDP GRO hands over many as one."""
    enforcing.allow(OTHER)
    near.setsockopt(socket.IPPROTO_UDP, 104, 1)
    tune(enforcing, near)

    assert [b"", b"x" * 100] == heard(near, "127.0.0.1", "127.0.0.2", data=b"x" * 60000)
    assert [b"", b""] == heard(near, "127.0.0.1", "127.0.0.2", data=b"")
    with socket.socket(V4, DGRAM) as far:
        far.setsockopt(socket.IPPROTO_UDP, 103, 100)
        far.bind(("127.0.0.1", 0))
        far.sendto(b"y" * 1000, near.getsockname())
    assert b"" == os.read(near.fileno(), 2000)


def test_policy_changes_while_sockets_are_open(enforcing: Stage, near: socket.socket) -> None:
    """Those that just read hear of it as well."""
    tune(enforcing, near)
    assert [b""] == heard(near, "127.0.0.1")

    enforcing.allow(NEAR)
    enforcing.supervisor.policy_changed()
    assert [b"hello", b""] == heard(near, "127.0.0.1", "127.0.0.2")

    enforcing.policy.forced_mode = Mode.PERMISSIVE
    enforcing.supervisor.policy_changed()
    assert b"" == sockfilter.attached(near.fileno())

    enforcing.policy.forced_mode = None
    enforcing.supervisor.policy_changed()
    assert [b"hello", b""] == heard(near, "127.0.0.1", "127.0.0.2")


def test_a_path_to_a_socket_is_no_socket(enforcing: Stage, near: socket.socket) -> None:
    path = os.open(f"/proc/self/fd/{near.fileno()}", os.O_PATH)
    try:
        enforcing.supervisor.policy_changed()
    finally:
        os.close(path)

    assert ([], [b""]) == (enforcing.warnings, heard(near, "127.0.0.1"))


def test_a_change_that_concerns_nobody_touches_no_socket(
    enforcing: Stage, near: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune(enforcing, near)
    enforcing.supervisor.policy_changed()
    monkeypatch.setattr(sockfilter, "attach", lambda fd, code: pytest.fail("touched"))

    enforcing.allow("file read /etc/hosts")
    enforcing.supervisor.policy_changed()
    tune(enforcing, near)


def test_another_domain(enforcing: Stage, near: socket.socket) -> None:
    """What a process has open when it enters one is held to that one."""
    former = enforcing.domain
    other = ensure_domain(enforcing.policy, f"{DOMAIN} /other")
    enforcing.process.domain = other
    tune(enforcing, near)

    enforcing.supervisor.earshot.entered(enforcing.process, former)
    assert b"" == sockfilter.attached(near.fileno())

    enforcing.process.domain = former
    enforcing.supervisor.earshot.entered(enforcing.process, other)
    assert [b""] == heard(near, "127.0.0.1")


def test_a_process_that_cannot_be_held_is_killed(
    enforcing: Stage, near: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[str] = []
    monkeypatch.setattr(enforcing.supervisor.executions, "kill", lambda process, reason: killed.append(reason))

    def full(fd: int, code: bytes) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(sockfilter, "attach", full)
    enforcing.supervisor.policy_changed()

    assert ["whom it hears can't be held to policy (Cannot allocate memory)"] == killed


def test_little_memory_for_filters(enforcing: Stage, near: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is coarser, and that is told, once."""
    enforcing.allow(*(f"network inet dgram recv 127.0.0.{2 * host} 0-65535" for host in range(1, 100)))
    attach = sockfilter.attach

    def scarce(fd: int, code: bytes) -> None:
        if len(code) > 100 * 8:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        attach(fd, code)

    monkeypatch.setattr(sockfilter, "attach", scarce)
    tune(enforcing, near)
    enforcing.allow("network inet dgram recv 127.0.1.7 7")
    tune(enforcing, near)

    assert [b"hello", b""] == heard(near, "127.0.0.2", "127.0.0.200")
    assert 1 == len(enforcing.warnings)


def test_what_was_emptied_by_an_older_filter_is_no_datagram(
    enforcing: Stage, sockets: Sockets, near: socket.socket
) -> None:
    """Nor is one that really is empty, as long as some of those may wait."""
    tune(enforcing, near)
    far = bound(sockets)
    far.sendto(b"lost", near.getsockname())
    enforcing.allow(NEAR)
    enforcing.supervisor.policy_changed()
    far.sendto(b"found", near.getsockname())

    assert (5, b"found") == receive(enforcing, near.fileno(), DONTWAIT)
    assert -errno.EAGAIN == receive(enforcing, near.fileno(), DONTWAIT)[0]
    far.sendto(b"", near.getsockname())
    assert 0 == receive(enforcing, near.fileno(), DONTWAIT)[0]


@pytest.mark.parametrize("flags", [DONTWAIT, DONTWAIT | socket.MSG_PEEK])
def test_refused_as_before_where_the_sender_is_asked_for(
    enforcing: Stage, sockets: Sockets, near: socket.socket, flags: int
) -> None:
    """What is left of a stranger's datagram says who it is."""
    tune(enforcing, near)
    far = bound(sockets)
    far.sendto(b"stranger", near.getsockname())

    assert -errno.EAGAIN == receive(enforcing, near.fileno(), flags)[0]
    assert [f"network inet dgram recv 127.0.0.1 {far.getsockname()[1]}"] == enforcing.recorded


class Yes:
    """An administrator who allows everything that isn't policy."""

    observers = 1

    def __init__(self) -> None:
        self.asked = 0

    def verdict(self, domain: Domain, request: Request) -> bool:
        self.asked += 1
        return True

    def ask(self, domain: Domain, request: Request, decision: Decision) -> None:
        pytest.fail("asked again")


@pytest.fixture
def asked(enforcing: Stage) -> Iterator[Yes]:
    before, yes = enforcing.supervisor.judge.questions, Yes()
    enforcing.supervisor.judge.questions = yes  # type: ignore[assignment]
    yield yes
    enforcing.supervisor.judge.questions = before


@pytest.mark.parametrize("flags", [DONTWAIT, DONTWAIT | socket.MSG_PEEK])
def test_allowed_by_the_administrator(
    enforcing: Stage, asked: Yes, sockets: Sockets, near: socket.socket, flags: int
) -> None:
    """The datagram was emptied when it came; the sender's next one is what was allowed."""
    tune(enforcing, near)
    far = bound(sockets)
    far.sendto(b"first", near.getsockname())
    assert -errno.EAGAIN == receive(enforcing, near.fileno(), flags)[0]
    far.sendto(b"again", near.getsockname())
    if flags & socket.MSG_PEEK:
        assert (5, b"again") == receive(enforcing, near.fileno(), flags)

    assert (5, b"again") == receive(enforcing, near.fileno(), DONTWAIT)
    assert 1 == asked.asked
    assert [b""] == heard(near, "127.0.0.1")


def address(sock: socket.socket) -> bytes:
    host, port = sock.getsockname()[:2]
    return struct.pack("H", V4) + int(port).to_bytes(2, "big") + socket.inet_aton(host) + bytes(8)


@pytest.mark.parametrize("call", ["connect", "sendto"])
def test_answers_to_what_the_administrator_let_be_sent(
    enforcing: Stage, asked: Yes, sockets: Sockets, near: socket.socket, call: str
) -> None:
    far = bound(sockets)
    to = enforcing.pointer(address(far))
    arguments = (near.fileno(), to, 16) if call == "connect" else (near.fileno(), enforcing.pointer(b"x"), 1, 0, to, 16)
    assert enforcing.handle(call, *arguments) in (0, 1)

    far.sendto(b"answer", near.getsockname())

    assert b"answer" == os.read(near.fileno(), 100)
    if call == "sendto":
        assert [b""] == heard(near, "127.0.0.1")


def test_a_peer_that_is_meant_by_another_address(enforcing: Stage, sockets: Sockets) -> None:
    """0.0.0.0 is this machine, which answers as 127.0.0.1."""
    enforcing.allow("network inet dgram send 0.0.0.0 0-65535")
    near, far = sockets(V4, DGRAM), bound(sockets)
    near.setblocking(False)
    to = enforcing.pointer(struct.pack("H", V4) + far.getsockname()[1].to_bytes(2, "big") + bytes(12))

    assert 0 == enforcing.handle("connect", near.fileno(), to, 16)
    far.sendto(b"answer", near.getsockname())

    assert b"answer" == os.read(near.fileno(), 100)


def test_a_filter_from_outside_that_is_locked(enforcing: Stage, near: socket.socket) -> None:
    """Whoever handed it over has decided."""
    sockfilter.attach(near.fileno(), struct.pack("HBBI", 6, 0, 0, 0xFFFF))
    sockfilter.lock(near.fileno(), 1)

    tune(enforcing, near)

    assert [b"hello"] == heard(near, "127.0.0.1")


def test_threads_with_descriptors_of_their_own(enforcing: Stage) -> None:
    """They are looked through, too, when policy changes, where they can be (Linux 6.9)."""
    try:
        os.close(os.pidfd_open(os.getpid(), os.O_EXCL))
        expected = b"b''\n"
    except OSError:
        expected = b"b'stranger'\n"
    program = (
        "import os, socket, sys, threading\n"
        "def other():\n"
        "    os.unshare(os.CLONE_FILES)\n"
        "    near = socket.socket(type=socket.SOCK_DGRAM); near.bind(('127.0.0.1', 0))\n"
        "    print(near.getsockname()[1], flush=True)\n"
        "    os.read(0, 1)\n"
        "    print(near.recv(99), flush=True)\n"
        "thread = threading.Thread(target=other); thread.start(); thread.join()\n"
    )
    if not hasattr(os, "unshare"):
        program = program.replace("os.unshare(os.CLONE_FILES)", "__import__('ctypes').CDLL(None).unshare(0x400)")
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        port = int(child.stdout.readline())
        enforcing.supervisor.tasks.add(child.pid, enforcing.domain, os.getpid())

        enforcing.supervisor.policy_changed()
        with socket.socket(V4, DGRAM) as far, contextlib.suppress(BrokenPipeError):
            far.sendto(b"stranger", ("127.0.0.1", port))
            child.stdin.write(b"\n")
            child.stdin.flush()

        assert expected == child.stdout.readline()


def test_who_listens_in_vain_is_told_of_once(enforcing: Stage, learning: Stage, sockets: Sockets) -> None:
    where = struct.pack("H", V4) + (7).to_bytes(2, "big") + bytes(12)
    for stage, raw in ((learning, where), (enforcing, where[:2] + bytes(14)), (enforcing, where), (enforcing, where)):
        stage.allow("network inet dgram bind 0.0.0.0 0-65535")
        stage.answer("bind", sockets(V4, DGRAM).fileno(), stage.pointer(raw), 16)

    told = f"{DOMAIN} binds 0.0.0.0 7 without any `network inet dgram recv`: all it hears is empty"
    assert ([], [told]) == (learning.warnings, enforcing.warnings)
    enforcing.allow(NEAR)
    enforcing.answer("bind", sockets(V4, DGRAM).fileno(), enforcing.pointer(where), 16)
    assert [told] == enforcing.warnings
