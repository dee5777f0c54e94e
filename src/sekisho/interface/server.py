"""The control socket of a running tree, served from within the supervisor's loop.

Nothing here waits: a client that doesn't read its answers isn't asked for more, one that sends what is no message is
dropped, and each holds one answer at most.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sekisho.interface import sockets, wire
from sekisho.interface.access import Access, Caller
from sekisho.interface.authority import Authority
from sekisho.interface.files import open_file
from sekisho.interface.handle import Handle
from sekisho.interface.wire import Flag, Kind, Operation

Watch = Callable[[int, Callable[[int], None], int], None]
"""``watch(fd, handler, events)``: the loop calls ``handler(events)`` whenever ``fd`` has some of ``events``."""

MOST_CLIENTS: Final = 800
"""So many connections are served at a time; who comes later is sent away."""
_TOLD: Final = 100
"""Of so many refused connections each is told."""


class ControlServer:
    """Listens at ``path``; ``watch`` and ``unwatch`` are the loop's."""

    def __init__(
        self, authority: Authority, path: Path, watch: Watch, unwatch: Callable[[int], None], log: Callable[[str], None]
    ) -> None:
        """Raises OSError where no socket can be made."""
        self.authority = authority
        self.access = Access(authority, log)
        self.watch = watch
        self.unwatch = unwatch
        self.log = log
        self.path = path
        self.clients: dict[int, Client] = {}
        self._refused = 0
        self._spare = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self._listener = sockets.listen(path)
        watch(self._listener.fileno(), lambda _: self._accept(), select.EPOLLIN)
        authority.subscribe(self._wake)

    def close(self) -> None:
        """Nobody is served any more, and the socket is gone."""
        for client in list(self.clients.values()):
            client.close()
        self.unwatch(self._listener.fileno())
        self._listener.close()
        os.close(self._spare)
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._send_away()
            return
        try:
            self._admit(sock)
        except Exception as bug:
            self.complain(bug)
            sock.close()

    def complain(self, bug: Exception) -> None:
        """``bug`` is told; the loop, which others depend on, goes on."""
        self.log(f"internal error in the interface: {bug!r}")

    def _admit(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if len(self.clients) >= MOST_CLIENTS or not self._believes(sock):
            sock.close()
            return
        client = self.clients[sock.fileno()] = Client(self, sock)
        self.watch(sock.fileno(), client.turn, select.EPOLLIN)

    def _send_away(self) -> None:
        """No descriptor is left: whoever comes would be announced again and again."""
        os.close(self._spare)
        try:
            self._listener.accept()[0].close()
        except OSError:
            pass
        self._spare = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

    def _believes(self, sock: socket.socket) -> bool:
        """Whether the other end may say for whom it asks: the owner's or root's, and not of the tree."""
        pid, user = sockets.peer(sock)
        if (
            user in (0, self.authority.owner)
            and pid > 0
            and self.authority.is_outside(pid)
            and sockets.peer_lives(sock)
        ):
            return True
        self._refused += 1
        if self._refused <= _TOLD:
            self.log(f"process {pid} of user {user} has no business at the control socket: refused")
        return False

    def _wake(self) -> None:
        for client in list(self.clients.values()):
            client.look()


class Client:
    """One connection, which is one open file."""

    def __init__(self, server: ControlServer, sock: socket.socket) -> None:
        self._server = server
        self._sock = sock
        self._fd = sock.fileno()
        self._handle: Handle | None = None
        self._flags = Flag(0)
        self._unsent = b""
        self._is_waiting = False

    def close(self) -> None:
        """The connection is over, and with it the file is closed."""
        if self._server.clients.pop(self._fd, None) is None:
            return
        self._server.unwatch(self._fd)
        self._sock.close()
        if self._handle is not None:
            try:
                self._handle.close()
            except Exception as bug:
                self._server.complain(bug)

    def turn(self, events: int) -> None:
        """One thing is done: what couldn't be sent is, or else a request is answered."""
        try:
            if self._unsent:
                self._sock.send(self._unsent)
                self._unsent = b""
                self._expect(select.EPOLLIN)
                self.look()
                return
            message = self._sock.recv(wire.LONGEST + 1)
            if not message or len(message) > wire.LONGEST:
                self.close()
                return
            self._send(self._answer(message))
        except BlockingIOError:
            return
        except (OSError, wire.BadMessage):
            self.close()
        except Exception as bug:
            self._server.complain(bug)
            self.close()

    def look(self) -> None:
        """Who waits to read is told if there is something now."""
        if not self._is_waiting or self._unsent or self._handle is None:
            return
        try:
            if self._handle.ready():
                self._is_waiting = False
                self._send(wire.reply(Kind.READABLE))
        except OSError:
            self.close()
        except Exception as bug:
            self._server.complain(bug)
            self.close()

    def _expect(self, events: int) -> None:
        self._server.unwatch(self._fd)
        self._server.watch(self._fd, self.turn, events)

    def _send(self, message: bytes) -> None:
        try:
            self._sock.send(message)
        except BlockingIOError:
            self._unsent = message
            self._expect(select.EPOLLOUT)

    def _answer(self, message: bytes) -> bytes:
        version, operation, pid, user, payload = wire.parse_request(message)
        if version != wire.VERSION:
            return wire.reply(Kind.REPLY, errno.EPROTONOSUPPORT)
        caller = Caller(pid, user, Flag.ADMINISTRATOR in self._flags)
        try:
            return self._do(operation, caller, payload)
        except wire.BadMessage:
            raise
        except OSError as error:
            return wire.reply(Kind.REPLY, error.errno or errno.EIO)
        except Exception as bug:
            self._server.complain(bug)
            return wire.reply(Kind.REPLY, errno.EIO)

    def _do(self, operation: Operation, caller: Caller, payload: bytes) -> bytes:
        if operation is Operation.OPEN:
            self._open(payload)
            return wire.reply(Kind.REPLY)
        handle = self._handle
        if handle is None:
            raise wire.BadMessage
        if operation is Operation.POLL:
            self._is_waiting = not (ready := handle.ready())
            return wire.reply(Kind.REPLY, 0, int(ready))
        if operation is Operation.WRITE:
            return wire.reply(Kind.REPLY, 0, handle.write(caller, payload))
        if len(payload) != wire.SIZE.size:
            raise wire.BadMessage
        size = min(wire.SIZE.unpack(payload)[0], wire.MOST)
        return wire.reply(Kind.REPLY, 0, 0, handle.read(caller, size))

    def _open(self, payload: bytes) -> None:
        if self._handle is not None or not payload:
            raise wire.BadMessage
        self._flags = Flag(payload[0] & 7)
        self._handle = open_file(
            payload[1:].decode("ascii", "replace"),
            self._server.authority,
            self._server.access,
            readable=Flag.READ in self._flags,
            writable=Flag.WRITE in self._flags,
        )
