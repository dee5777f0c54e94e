"""``deny_autobind``: the system doesn't choose certain local ports by itself (TOMOYO 1.8).

Where it would choose one, the supervisor does before it: from the range the kernel takes them from, without
those that policy denies.
"""

from __future__ import annotations

import errno
import os
import random
import socket
import struct
from typing import Final

from sekisho.decide.ports import denies_ports, free_ranges
from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls.sockets import INET, Sock, bound_address
from sekisho.engine.supervisor.system import procfs

_RANGE: Final = "/proc/sys/net/ipv4/ip_local_port_range"
_RESERVED: Final = "/proc/sys/net/ipv4/ip_local_reserved_ports"
_TRIES: Final = 4096
_TAKEN: Final = (errno.EADDRINUSE, errno.EACCES)


def concerned(call: Call, sock: Sock) -> bool:
    """Whether the kernel, asked for a port for ``sock`` now, might choose one that policy denies."""
    if sock.family not in INET or sock.type not in ("stream", "dgram"):
        return False
    policy, domain = call.supervisor.judge.policy, call.process.domain
    if not denies_ports(policy, domain) or _port(bound_address(sock)):
        return False
    low, high = local_ports()
    return sum(map(len, free_ranges(policy, domain, low, high))) < high - low + 1


def _port(raw: bytes) -> int:
    return int.from_bytes(raw[2:4], "big")


def bind_allowed(call: Call, sock: Sock, raw: bytes, exhausted: int) -> int:
    """0: ``sock`` is bound to the address ``raw`` with a port that policy doesn't deny, drawn by lot. Raises what
    bind(2) does, or ``exhausted`` where no such port is free."""
    low, high = local_ports()
    policy, domain = call.supervisor.judge.policy, call.process.domain
    reserved = _reserved()
    ports = [port for part in free_ranges(policy, domain, low, high) for port in part if port not in reserved]
    for port in random.sample(ports, min(len(ports), _TRIES)):
        try:
            return int(call.run("bind", sock.fd, raw[:2] + port.to_bytes(2, "big") + raw[4:]))
        except OSError as failure:
            if failure.errno not in _TAKEN:
                raise
    raise OSError(exhausted, os.strerror(exhausted))


def bind_before(call: Call, sock: Sock, exhausted: int) -> None:
    """``sock`` has a local port; what is done next would have given it one."""
    size = 16 if sock.family == socket.AF_INET else 28
    raw = struct.pack("H", sock.family)
    bind_allowed(call, sock, raw + bytes(size - len(raw)), exhausted)


def local_ports() -> tuple[int, int]:
    """The range that the kernel chooses local ports from (ip(7))."""
    low, high = procfs.read(_RANGE).split()
    return int(low), int(high)


def _reserved() -> set[int]:
    """Ports that the kernel doesn't choose anyway."""
    found: set[int] = set()
    for part in procfs.read_all(_RESERVED).decode().replace("\n", "").split(","):
        low, _, high = part.partition("-")
        if low:
            found.update(range(int(low), int(high or low) + 1))
    return found
