"""Raw socket addresses as policy writes them (spec c, network)."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final

_PATH_OFFSET: Final = 2


@dataclass(frozen=True, slots=True)
class Inet:
    """An IPv4 or IPv6 address in policy's spelling, and its port."""

    text: str
    port: int


def family(raw: bytes) -> int:
    """The address family of a sockaddr, AF_UNSPEC when it is too short to have one."""
    return int(struct.unpack_from("H", raw)[0]) if len(raw) >= 2 else socket.AF_UNSPEC


def inet(raw: bytes) -> Inet | None:
    """The parts of a sockaddr_in or sockaddr_in6; None for another family or one cut short."""
    kind = family(raw)
    if kind == socket.AF_INET and len(raw) >= 8:
        return Inet(socket.inet_ntoa(raw[4:8]), int.from_bytes(raw[2:4], "big"))
    if kind == socket.AF_INET6 and len(raw) >= 24:
        return Inet(ipv6_text(raw[8:24]), int.from_bytes(raw[2:4], "big"))
    return None


def ipv6_text(packed: bytes) -> str:
    """The kernel's compressed spelling (printk's %pI6c); v4-mapped addresses keep their dotted tail."""
    return socket.inet_ntop(socket.AF_INET6, packed)


def unix_name(raw: bytes) -> bytes | None:
    """The bytes of a UNIX address that policy names, None when it has none (``anonymous``)."""
    path = raw[_PATH_OFFSET:]
    if not path:
        return None
    return path if path[0] == 0 else path.split(b"\0", 1)[0]


def is_path(raw: bytes) -> bool:
    """Whether a UNIX address names a file."""
    return family(raw) == socket.AF_UNIX and len(raw) > _PATH_OFFSET and raw[_PATH_OFFSET] != 0
