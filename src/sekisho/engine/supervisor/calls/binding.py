"""bind(2) and listen(2): the ``bind`` and ``listen`` keywords, and ``file mksock``."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final

from sekisho.engine.supervisor.call import Call, signed
from sekisho.engine.supervisor.calls import autobind, message
from sekisho.engine.supervisor.calls.sockets import bound_address, pin, requests
from sekisho.engine.supervisor.objects import address as addresses
from sekisho.engine.supervisor.plan import PROCEED, Answer, CallFacts, Plan

_START: Final = -999
"""Stands for the working directory that a call began with."""


def bind(call: Call) -> Plan | Answer:
    """bind(2); a UNIX path also makes a file."""
    sock = pin(call, call.args[0])
    raw = message.copy_address(call, call.args[1], call.args[2])
    call.supervisor.earshot.tune(call.process.domain, sock)
    call.supervisor.earshot.bound(call.process.domain, sock, raw)
    asked = requests(call, sock, "bind", raw)
    if sock.family == socket.AF_UNIX and addresses.is_path(raw):
        # Another thread may change the working directory meanwhile.
        start = call.cwd()
        call.stand_in[_START] = start
        place = call.place(_START, addresses.unix_name(raw) or b"")
        if call.occupant(place) is not None:
            return -errno.EADDRINUSE
        with_mode = os.fstat(sock.fd).st_mode & 0o777 & ~call.umask()
        asked.append(
            call.request("file mksock", call.place_name(place), with_mode, facts=CallFacts(call, parent1=place.status))
        )

        def perform() -> Answer:
            done = int(call.run_fenced("bind_path", sock.fd, raw, start, place.parent, place.last, call.umask()))
            if call.occupant(place) is None:
                call.supervisor.executions.kill(call.process, "the directory of a UNIX address was swapped")
            return done

        return Plan(asked, perform)
    if raw[2:4] == bytes(2) and autobind.concerned(call, sock):
        return Plan(asked, lambda: autobind.bind_allowed(call, sock, raw, errno.EADDRINUSE), always=True)
    # Landlock knows of TCP alone, and would answer before the kernel tells a wrong family.
    tcp = sock.type == "stream" and addresses.family(raw) == sock.family != socket.AF_UNIX
    return Plan(asked, lambda: int((call.run_fenced if tcp else call.run)("bind", sock.fd, raw)))


def listen(call: Call) -> Plan | Answer:
    """listen(2): named by the address the socket is bound to."""
    sock = pin(call, call.args[0])
    asked = requests(call, sock, "listen", bound_address(sock)) if sock.type in ("stream", "seqpacket") else []

    chosen_for = sock.type == "stream" and autobind.concerned(call, sock)

    def perform() -> Answer:
        if chosen_for:
            autobind.bind_before(call, sock, errno.EADDRINUSE)
        if not call.process.shares_files:
            return PROCEED
        return int(call.run("listen", sock.fd, signed(call.args[1])))

    return Plan(asked, perform, always=chosen_for)
