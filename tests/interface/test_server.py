"""What comes over the control socket, from friends and others."""

from __future__ import annotations

import errno
import os
import resource
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.interface.serving import PATIENCE, Serving, eventually, serving
from tests.interface.stage import Stage, StageQuestions

from sekisho.interface import sockets, wire
from sekisho.interface.authority import Question
from sekisho.interface.server import MOST_CLIENTS
from sekisho.interface.wire import Flag, Kind, Operation


def raw(served: Serving) -> socket.socket:
    return sockets.connect(served.server.path, PATIENCE)


def ask(
    sock: socket.socket, operation: Operation, payload: bytes = b"", pid: int = 10, user: int = 0
) -> tuple[int, int, bytes]:
    sock.send(wire.request(operation, pid, user, payload))
    _, kind, error, value, answer = wire.parse_reply(sock.recv(wire.LONGEST))
    assert kind is Kind.REPLY
    return error, value, answer


def is_closed(sock: socket.socket) -> bool:
    sock.settimeout(PATIENCE)
    try:
        return sock.recv(wire.LONGEST) == b""
    except ConnectionResetError:
        return True


def test_a_file_is_opened_read_written_and_looked_at(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, _), raw(served) as sock:
        assert ask(sock, Operation.OPEN, bytes([Flag.READ | Flag.WRITE]) + b"manager") == (0, 0, b"")
        assert ask(sock, Operation.POLL) == (0, 1, b"")
        assert ask(sock, Operation.WRITE, b"/bin/x\n") == (0, 7, b"")
        assert ask(sock, Operation.WRITE, b"/bin/y\n", pid=11) == (errno.EPERM, 0, b"")
        assert ask(sock, Operation.READ, wire.SIZE.pack(5)) == (0, 0, b"/sbin")
        assert ask(sock, Operation.READ, wire.SIZE.pack(2**32 - 1)) == (0, 0, b"/manager\n/bin/x\n")


@pytest.mark.parametrize(
    "message",
    [
        b"x",
        b"\0" * 12,
        wire.request(Operation.READ, 1, 1, wire.SIZE.pack(1)),
        wire.request(Operation.WRITE, 1, 1, b"x"),
        wire.request(Operation.POLL, 1, 1),
        wire.request(Operation.OPEN, 1, 1),
        b"x" * (wire.LONGEST + 1),
        wire.request(Operation.WRITE, 1, 1, b"x" * (wire.MOST + 1)),
    ],
)
def test_who_does_not_keep_to_the_protocol_is_dropped(tmp_path: Path, message: bytes) -> None:
    with serving(Stage(), tmp_path) as (served, _), raw(served) as sock:
        sock.send(message)
        assert is_closed(sock)
        eventually(lambda: not served.server.clients)


@pytest.mark.parametrize(
    "message", [wire.request(Operation.OPEN, 1, 1, b"\3stat"), wire.request(Operation.READ, 1, 1, b"123")]
)
def test_so_is_who_opens_twice_or_reads_no_size(tmp_path: Path, message: bytes) -> None:
    with serving(Stage(), tmp_path) as (served, _), raw(served) as sock:
        assert ask(sock, Operation.OPEN, b"\3stat")[0] == 0
        sock.send(message)
        assert is_closed(sock)


def test_another_version_is_told_so(tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, _), raw(served) as sock:
        sock.send(b"\2" + wire.request(Operation.OPEN, 1, 1, b"\3stat")[1:])
        assert wire.parse_reply(sock.recv(99))[2] == errno.EPROTONOSUPPORT


@given(messages=st.lists(st.binary(max_size=40) | st.builds(
    wire.request, st.sampled_from(Operation), st.integers(0, 99), st.integers(0, 99),
    st.binary(max_size=20) | st.sampled_from([b"\3domain_policy", b"\7query", b"\3.process_status", wire.SIZE.pack(9)]),
)))  # fmt: skip
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_garbage_harms_others(messages: list[bytes], tmp_path: Path) -> None:
    with serving(Stage(), tmp_path) as (served, tree), raw(served) as sock:
        for message in messages:
            try:
                sock.send(message, socket.MSG_DONTWAIT)
            except OSError:
                break
        assert tree.open("version").read(100) == b"2.6.0"
        sock.close()
        eventually(lambda: served.stage.questions.observers == 0)
        assert not any("internal error" in line for line in served.said)


def test_who_never_reads_harms_itself_alone(tmp_path: Path) -> None:
    stage = Stage().holds("<kernel> /a\n" + "".join(f"file read /name/{number}\n" for number in range(20_000)))
    with serving(stage, tmp_path) as (served, tree):
        socks = [raw(served) for _ in range(20)]
        try:
            for sock in socks:
                assert ask(sock, Operation.OPEN, b"\3domain_policy")[0] == 0
                sock.setblocking(False)
                for _ in range(100):
                    try:
                        sock.send(wire.request(Operation.READ, 10, 0, wire.SIZE.pack(wire.MOST)))
                    except BlockingIOError:
                        break
            eventually(lambda: sum(bool(each._unsent) for each in served.server.clients.values()) == 20)
            assert tree.open("version").read(100) == b"2.6.0"
            turns = served.turns
            time.sleep(0.1)
            # It isn't asked again and again whether they read.
            assert served.turns < turns + 5
            first = socks[0]
            first.setblocking(True)
            received = wire.parse_reply(first.recv(wire.LONGEST))[4]
            assert received.startswith(b"<kernel>\n")
            assert len(wire.parse_reply(first.recv(wire.LONGEST))[4]) == wire.MOST
        finally:
            for sock in socks:
                sock.close()
        eventually(lambda: len(served.server.clients) <= 1)


def test_a_wake_that_could_not_be_sent_comes_later(tmp_path: Path) -> None:
    stage = Stage().holds("".join(f"<kernel> /{number}\n" for number in range(2000)))
    with serving(stage, tmp_path) as (served, _), raw(served) as sock:
        ask(sock, Operation.OPEN, b"\3audit")
        assert ask(sock, Operation.POLL) == (0, 0, b"")
        client = next(iter(served.server.clients.values()))

        def block() -> None:
            client._unsent = wire.reply(Kind.REPLY, 0, 77)
            client._expect(select.EPOLLOUT)
            stage.audit.put("file read /a")

        served.do(block)
        kinds = [wire.parse_reply(sock.recv(99))[1:4:2] for _ in range(2)]
        assert kinds == [(Kind.REPLY, 77), (Kind.READABLE, 0)]


def test_hundreds_are_served_and_more_are_sent_away(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    socks: list[socket.socket] = []
    try:
        with serving(Stage(), tmp_path) as (served, tree):
            for _ in range(MOST_CLIENTS):
                socks.append(raw(served))
                assert ask(socks[-1], Operation.OPEN, b"\3version")[0] == 0
            with raw(served) as one_too_many:
                assert is_closed(one_too_many)
            assert all(ask(sock, Operation.READ, wire.SIZE.pack(9)) == (0, 0, b"2.6.0") for sock in socks)
            socks.pop().close()
            eventually(lambda: len(served.server.clients) == MOST_CLIENTS - 1)
            assert tree.open("version").read(9) == b"2.6.0"
            for sock in socks:
                sock.close()
    finally:
        for sock in socks:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_descriptor_left_nobody_waits_at_the_door(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with serving(Stage(), tmp_path) as (served, tree):
        sock = raw(served)
        eventually(lambda: len(served.server.clients) == 1)
        held = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        here = os.open(tmp_path, os.O_PATH)
        highest = max(map(int, os.listdir("/proc/self/fd")))
        try:
            # Every number below the limit is taken.
            fillers = []
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, limits[1]))
            try:
                while True:
                    fillers.append(os.dup(here))
            except OSError:
                pass
            held.connect(f"/proc/self/fd/{here}/{served.server.path.name}")
            assert is_closed(held)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            for fd in (*fillers, here):
                os.close(fd)
            held.close()
            sock.close()
        assert tree.open("version").read(9) == b"2.6.0"


def test_only_those_outside_the_tree_are_believed(tmp_path: Path) -> None:
    stage = Stage()
    stage.outside = set()
    with serving(stage, tmp_path) as (served, _):
        for _ in range(3):
            with raw(served) as sock:
                assert is_closed(sock)
        eventually(lambda: len(served.said) == 3)
        assert served.said[0] == (
            f"process {os.getpid()} of user {os.getuid()} has no business at the control socket: refused"
        )
        for _ in range(200):
            with raw(served) as sock:
                assert is_closed(sock)
        assert len(served.said) == 100


@pytest.mark.root
def test_only_root_and_the_owner_are_believed(tmp_path: Path) -> None:
    script = (
        "import os, sys, socket; os.setresuid(*[int(sys.argv[2])] * 3)\n"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect(sys.argv[1]); s.settimeout(20)\n"
        "s.send(bytes.fromhex(sys.argv[3])); print(len(s.recv(999)))"
    )
    message = wire.request(Operation.OPEN, 1, 1, b"\3version").hex()
    stage = Stage()
    stage.owner = 4711
    with serving(stage, tmp_path / "d") as (served, _):
        os.chmod(served.server.path, 0o666)
        for path in (tmp_path / "d", *(tmp_path / "d").parents):
            if path.owner() == "root" and path != Path("/"):
                os.chmod(path, path.stat().st_mode | 0o011)
        answers = []
        for user in (0, 4711, 4712):
            result = subprocess.run(
                [sys.executable, "-c", script, served.server.path, str(user), message],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            answers.append(result.stdout.strip() or result.stderr.strip().splitlines()[-1].split(":")[0])
    assert answers[:2] == ["12", "12"]
    assert answers[2] in ("0", "ConnectionResetError", "BrokenPipeError")


def test_who_has_ended_is_not_believed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from sekisho.interface import sockets\n"
        "sock = sockets.connect(Path(sys.argv[1]), 5)"
    )
    with serving(Stage(), tmp_path) as (served, _):

        def connect_and_end() -> None:
            """While the loop is busy with this, nobody is accepted."""
            subprocess.run([sys.executable, "-c", script, served.server.path], check=True, timeout=60)

        served.do(connect_and_end)
        eventually(lambda: len(served.said) == 1)
        assert "has no business" in served.said[0]


def test_a_bug_is_an_error_of_the_one_operation(tmp_path: Path) -> None:
    class Broken(Stage):
        def domain_of(self, pid: int) -> None:
            raise ZeroDivisionError

    with serving(Broken(), tmp_path) as (served, tree):
        file = tree.open("self_domain")
        with pytest.raises(OSError, match="Input/output error"):
            file.read(9, 10, 0)
        with pytest.raises(OSError, match="Input/output error"):
            file.read(9, 10, 0)
        assert served.said == ["internal error in the interface: ZeroDivisionError()"] * 2


class BrokenQuestions(StageQuestions):
    def __init__(self, whole: StageQuestions) -> None:
        super().__init__()
        self.wake = whole.wake

    def pending(self) -> list[Question]:
        raise ZeroDivisionError

    def leave(self) -> None:
        raise ZeroDivisionError


def test_a_bug_never_reaches_the_loop(tmp_path: Path) -> None:
    class Broken(Stage):
        def is_outside(self, pid: int) -> bool:
            raise ZeroDivisionError

    with serving(Broken(), tmp_path) as (served, _), raw(served) as sock:
        assert is_closed(sock)
    stage = Stage()
    with serving(stage, tmp_path) as (served, tree):
        file = tree.open("query")
        assert not file.readable()
        stage.questions = BrokenQuestions(stage.questions)
        served.do(stage.questions.wake)
        eventually(lambda: not served.server.clients)
        assert len(served.said) == 2


def test_closing_leaves_nothing(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with serving(Stage(), tmp_path) as (served, tree):
        tree.open("query").read(1)
        assert served.stage.questions.observers == 1
    assert served.stage.questions.observers == 0
    assert os.listdir(tmp_path) == []
    tree.close()

    assert set(os.listdir("/proc/self/fd")) <= before
