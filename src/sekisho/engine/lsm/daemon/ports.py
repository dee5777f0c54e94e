"""``deny_autobind``: local ports that the kernel doesn't choose by itself, in the network namespace that this runs in.

The kernel has a list of such ports (``ip_local_reserved_ports``): bind(2) to port 0, connect(2) and sending leave them
out, whoever asks for one by its number gets it. What the administrator has there stays; what was added is written down
first, so that whoever comes after a daemon that was killed knows what to take away.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sekisho.engine.lsm.daemon.control import SOCKET
from sekisho.policy.model import Policy

RESERVED: Final = Path("/proc/sys/net/ipv4/ip_local_reserved_ports")
RECORD: Final = SOCKET.with_name("reserved_ports")
_MOST: Final = 0xFFFF
_PIECE: Final = 256
"""Ranges in a write: the kernel takes a page at a time, and adds what follows in the same open file."""


class ReservedPorts:
    """The kernel's list in the file ``listed``, and what of it is ours in the file ``record``."""

    def __init__(self, listed: Path = RESERVED, record: Path = RECORD) -> None:
        self._listed = listed
        self._record = record

    def hold(self, wanted: Iterable[int]) -> None:
        """The kernel chooses none of these ports, nor those that the administrator named. Raises OSError, and all is as
        it was but for ports that were ours."""
        ports = set(wanted)
        ours = _read(self._record)
        if not ports and not ours:
            return
        listed = _read(self._listed, needed=True)
        theirs = listed - ours
        self._remember(ours | ports - theirs)
        if listed != theirs | ports:
            _write(self._listed, theirs | ports)
        self._remember(ports - theirs)

    def release(self) -> None:
        """The list is the administrator's again. Raises OSError."""
        self.hold(())

    def _remember(self, ports: set[int]) -> None:
        if ports:
            self._record.write_text(",".join(_ranges(ports)) + "\n")
        else:
            self._record.unlink(missing_ok=True)


def denied(policy: Policy) -> set[int]:
    """The ports that any namespace of ``policy`` denies: the kernel has one list for all."""
    return {
        port
        for namespace in policy.namespaces.values()
        for ports in namespace.denied_ports
        for port in range(ports.low, min(ports.high, _MOST) + 1)
    }


def _read(path: Path, *, needed: bool = False) -> set[int]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        if needed:
            raise
        return set()
    found: set[int] = set()
    for part in text.strip().split(","):
        low, _, high = part.partition("-")
        if low:
            found.update(range(int(low), int(high or low) + 1))
    return found


def _write(path: Path, ports: set[int]) -> None:
    parts = list(_ranges(ports))
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_TRUNC)
    try:
        for place in range(0, max(1, len(parts)), _PIECE):
            os.write(fd, (",".join(parts[place : place + _PIECE]) + "\n").encode())
    finally:
        os.close(fd)


def _ranges(ports: set[int]) -> Iterator[str]:
    """Ascending, as the kernel writes them."""
    ordered = sorted(ports)
    begin = 0
    for place, port in enumerate(ordered):
        if place + 1 < len(ordered) and ordered[place + 1] == port + 1:
            continue
        low = ordered[begin]
        yield str(low) if low == port else f"{low}-{port}"
        begin = place + 1
