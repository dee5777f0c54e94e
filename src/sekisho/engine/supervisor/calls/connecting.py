"""connect(2): the ``connect`` keyword, or ``send`` where nothing is connected but a destination set."""

from __future__ import annotations

import errno
import socket

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls import autobind, message
from sekisho.engine.supervisor.calls.sockets import Sock, peer_address, pin, requests, unix_target
from sekisho.engine.supervisor.objects import address as addresses
from sekisho.engine.supervisor.plan import Answer, Plan


def connect(call: Call) -> Plan | Answer:
    """connect(2)."""
    sock = pin(call, call.args[0])
    raw = message.copy_address(call, call.args[1], call.args[2])

    call.supervisor.earshot.tune(call.process.domain, sock)
    chosen_for = addresses.family(raw) != socket.AF_UNSPEC and autobind.concerned(call, sock)

    def perform() -> Answer:
        if chosen_for:
            autobind.bind_before(call, sock, errno.EADDRNOTAVAIL if sock.type == "stream" else errno.EAGAIN)
        target = unix_target(call, sock, raw)
        # Landlock knows of TCP alone, and would answer before the kernel tells a wrong family.
        call.fenced = call.fenced and sock.type == "stream" and addresses.family(raw) == sock.family != socket.AF_UNIX
        if not sock.blocking or sock.type not in ("stream", "seqpacket"):
            done = int(call.run_fenced("connect", sock.fd, raw, target))
            _hear_peer(call, sock, raw)
            return done
        try:
            return int(call.run_fenced("connect_at_once", sock.fd, raw, target))
        except BlockingIOError:
            return call.run_blocking("connect", sock.fd, raw, target, fenced=True)

    return Plan(requests(call, sock, "connect", raw), perform, always=chosen_for)


def _hear_peer(call: Call, sock: Sock, asked: bytes) -> None:
    """Who was asked about is heard, also where only the administrator allowed it or the address stood for another."""
    if not sock.cookie:
        return
    peer = peer_address(sock)
    if peer and (call.supervisor.judge.by_hand or addresses.inet(peer) != addresses.inet(asked)):
        call.supervisor.earshot.reached(sock, peer)
