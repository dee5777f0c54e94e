from __future__ import annotations

import errno
import socket
from pathlib import Path

from tests.engine.supervisor.conftest import Sockets
from tests.engine.supervisor.objects.test_address import UNIX
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.plan import PROCEED

STREAM, DGRAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET


def test_binding_a_path_makes_a_file(enforcing: Stage, sockets: Sockets, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    raw = UNIX + bytes(path) + b"\0"
    sock = sockets(socket.AF_UNIX, STREAM)
    plan = enforcing.plan("bind", sock.fileno(), enforcing.pointer(raw), len(raw))
    asked = enforcing.asks("bind", sock.fileno(), enforcing.pointer(raw), len(raw))

    assert [f"network unix stream bind {path}", f"file mksock {path}"] == [line.rsplit(" 0", 1)[0] for line in asked]
    assert 0 == plan.perform()
    assert path.is_socket()
    again = sockets(socket.AF_UNIX, STREAM).fileno()
    assert -errno.EADDRINUSE == enforcing.answer("bind", again, enforcing.pointer(raw), len(raw))


def test_listening_is_named_by_what_was_bound(enforcing: Stage, sockets: Sockets) -> None:
    sock = sockets(socket.AF_INET, STREAM)
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]

    assert [f"network inet stream listen 127.0.0.1 {port}"] == enforcing.asks("listen", sock.fileno(), 5)
    assert PROCEED is enforcing.plan("listen", sock.fileno(), 5).perform()
    enforcing.process.shares_files = True
    assert 0 == enforcing.plan("listen", sock.fileno(), 5).perform()
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
