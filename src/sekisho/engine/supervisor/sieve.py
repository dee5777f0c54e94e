"""The kernel's own filter of a socket (classic BPF), which keeps from it what strangers say.

The kernel runs it before a datagram is queued, so that it counts for read(2) as well, at which nobody can look. Where
it would grow too long, addresses that policy doesn't name are let in between those that it does.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sekisho.engine.supervisor.hearing import Sender, Senders, Span

LONGEST: Final = 4096
"""Instructions that a socket filter may have (BPF_MAXINSNS)."""
WHOLE: Final = struct.pack("HBBI", 0x06, 0, 0, 0x7FFFFFFF)
"""Keeps every datagram as it is."""
_SIZE: Final = 8
_ANY_PORT: Final = ((0, 0xFFFF),)
_MAPPED: Final = 0xFFFF << 32
"""Where IPv4 addresses stand among those of IPv6."""
_UDP: Final = (socket.IPPROTO_UDP, 136)
_PING: Final = (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6)
_UDP_HEADER: Final = 8
_NETWORK_HEADER: Final = 0xFFF00000
_SOURCE: Final = {4: _NETWORK_HEADER + 12, 6: _NETWORK_HEADER + 8}
_WORD, _HALF, _BYTE, _VALUE, _STORE, _STORED, _AND, _JUMP, _EQUAL, _ABOVE, _FROM, _RETURN = (
    0x20, 0x28, 0x30, 0x00, 0x02, 0x60, 0x54, 0x05, 0x15, 0x25, 0x35, 0x06,
)  # fmt: skip
_MARK: Final = 0x53454B49
_LOCKED: Final = 0x10000


@dataclass(frozen=True, slots=True)
class Kind:
    """What a socket is: which packets it gets, and what of them its filter sees."""

    family: int
    type: str
    protocol: int

    @property
    def kept(self) -> int:
        """The bytes that are kept of a stranger's datagram, as few as the kernel lets: none of what it says, but who
        sent it. Where the first byte would say something it is 0, and nothing is kept."""
        if self.type == "raw":
            return 1 if self.family == socket.AF_INET else 0
        if self.protocol in _UDP:
            return _UDP_HEADER
        return 1 if self.protocol in _PING else 0

    @property
    def empty(self) -> int:
        """How long such a datagram is for who receives it."""
        return 0 if self.kept == _UDP_HEADER else self.kept


Interval = tuple[int, int, tuple[Span, ...]]
"""Addresses from one to another, and the ports that each of them has."""


def program(known: Senders, kind: Kind, *, room: int, locked: bool = False) -> tuple[bytes, bool]:
    """Instructions that keep nothing of strangers' datagrams and go on behind themselves for all others, with the
    registers as they were; and whether strangers had to be let in for want of ``room``.

    ``locked`` says in them that the program's own filter is to stay as it is (SO_LOCK_FILTER).
    """
    planes = {version: _intervals(_of_plane(known, kind, version)) for version in _versions(kind)}
    most = max(map(len, planes.values()), default=0)
    code, whole = _assembled(planes, kind, locked), True
    while len(code) > room * _SIZE and most > 1:
        most, whole = most // 2, False
        code = _assembled({version: _joined(each, most) for version, each in planes.items()}, kind, locked)
    return code, not whole


def _versions(kind: Kind) -> tuple[int, ...]:
    return (4,) if kind.family == socket.AF_INET else (4, 6)


def _of_plane(known: Senders, kind: Kind, version: int) -> Iterator[Sender]:
    """Who of ``known`` comes in packets of IP ``version``; policy names those of IPv4 on an IPv6 socket as mapped."""
    number = kind.protocol if kind.type == "raw" else 0
    ported = kind.type == "dgram" and kind.protocol in _UDP
    for each in known:
        if each.version != (4 if kind.family == socket.AF_INET else 6):
            continue
        ports = each.ports if ported else (0, 0xFFFF)
        if not ported and not each.ports[0] <= number <= each.ports[1]:
            continue
        low, high = each.low, each.high
        if version != each.version:
            low, high = max(low, _MAPPED) - _MAPPED, min(high, _MAPPED + 0xFFFFFFFF) - _MAPPED
        if low <= high:
            yield Sender(version, low, high, ports)


def _intervals(known: Iterable[Sender]) -> list[Interval]:
    """The same as intervals, ascending, none of which overlap."""
    starts: dict[int, list[Span]] = {}
    ends: dict[int, list[Span]] = {}
    for each in known:
        starts.setdefault(each.low, []).append(each.ports)
        ends.setdefault(each.high + 1, []).append(each.ports)
    points = sorted({*starts, *ends})
    active: list[Span] = []
    found: list[Interval] = []
    for point, following in pairwise(points):
        for ports in ends.get(point, ()):
            active.remove(ports)
        active += starts.get(point, ())
        if active:
            _append(found, (point, following - 1, _merged(active)))
    return found


def _append(found: list[Interval], more: Interval) -> None:
    if found and found[-1][1] + 1 == more[0] and found[-1][2] == more[2]:
        more = (found.pop()[0], more[1], more[2])
    found.append(more)


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    out: list[Span] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


def _joined(intervals: list[Interval], most: int) -> list[Interval]:
    """At most ``most`` intervals, in which all of ``intervals`` are: the narrowest gaps are gone."""
    gaps = sorted(range(1, len(intervals)), key=lambda place: intervals[place][0] - intervals[place - 1][1])
    gone = set(gaps[: max(0, len(intervals) - most)])
    out: list[Interval] = []
    for place, (low, high, ports) in enumerate(intervals):
        if place in gone:
            before = out.pop()
            low, ports = before[0], _joined_ports(before[2] + ports)
        out.append((low, high, ports))
    return out


def _joined_ports(ports: tuple[Span, ...]) -> tuple[Span, ...]:
    merged = _merged(ports)
    return merged if len(merged) <= 1 else ((merged[0][0], merged[-1][1]),)


class _Listing:
    """Instructions whose jumps lead forward, to labels."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, int, str, str]] = []
        self.labels: dict[str, int] = {}

    def add(self, opcode: int, k: int = 0, true: str = "", false: str = "") -> None:
        self.lines.append((opcode, k, true, false))

    def label(self, name: str) -> None:
        self.labels[name] = len(self.lines)

    def fresh(self) -> str:
        return f"{len(self.lines)}.{len(self.labels)}"

    def encoded(self) -> bytes:
        return b"".join(self._encoded(place, *line) for place, line in enumerate(self.lines))

    def _encoded(self, place: int, opcode: int, k: int, true: str, false: str) -> bytes:
        if opcode == _JUMP:
            return struct.pack("HBBI", opcode, 0, 0, self.labels[true] - place - 1)
        skipped = (self.labels[name] - place - 1 if name else 0 for name in (true, false))
        return struct.pack("HBBI", opcode, *skipped, k)


def _assembled(planes: dict[int, list[Interval]], kind: Kind, locked: bool) -> bytes:
    out = _Listing()
    out.add(_VALUE, _MARK)
    out.add(_VALUE)
    if 6 in planes:
        out.add(_BYTE, _NETWORK_HEADER)
        out.add(_AND, 0xF0)
        out.add(_EQUAL, 0x40, "is 4", "")
        out.add(_JUMP, 0, "6")
        out.label("is 4")
    sorts = {ports: f"ports {place}" for place, ports in enumerate(_sorts(planes))}
    for version, intervals in planes.items():
        out.label(str(version))
        if intervals:
            _add_loading(out, version)
        for low, high, ports in intervals:
            _add_interval(out, _words(low, version), _words(high, version), sorts[ports])
        out.add(_JUMP, 0, "stranger")
    for ports, name in sorts.items():
        out.label(name)
        _add_ports(out, ports)
    out.label("stranger")
    out.add(_RETURN, kind.kept)
    out.label("known")
    out.add(_VALUE, 0)
    out.lines[1] = (_VALUE, len(out.lines) | (_LOCKED if locked else 0), "", "")
    return out.encoded()


def _sorts(planes: dict[int, list[Interval]]) -> dict[tuple[Span, ...], None]:
    return {ports: None for intervals in planes.values() for _, _, ports in intervals}


def _words(value: int, version: int) -> list[int]:
    raw = value.to_bytes(4 if version == 4 else 16, "big")
    return [int.from_bytes(raw[at : at + 4], "big") for at in range(0, len(raw), 4)]


def _add_loading(out: _Listing, version: int) -> None:
    """The sender's address is at hand, read out of the packet but once: of IPv4 in the accumulator."""
    for place in range(1 if version == 4 else 4):
        out.add(_WORD, _SOURCE[version] + 4 * place)
        if version == 6:
            out.add(_STORE, place)


def _add_interval(out: _Listing, low: list[int], high: list[int], found: str) -> None:
    """Goes on at ``found`` with an address from ``low`` to ``high``, else behind itself."""
    after = "after " + out.fresh()
    _compare(out, low, high, found, after)
    out.label(after)


def _compare(out: _Listing, low: list[int], high: list[int], found: str, after: str, *, place: int = 0) -> None:
    if not any(low) and all(word == 0xFFFFFFFF for word in high):
        out.add(_JUMP, 0, found)
        return
    if place or len(low) > 1:
        out.add(_STORED, place)
    if low[0] == high[0]:
        out.add(_EQUAL, low[0], "", after)
        _compare(out, low[1:], high[1:], found, after, place=place + 1)
        return
    inside = "inside " + out.fresh()
    beginning, end = inside + " beginning", inside + " end"
    rest = len(low) - 1
    out.add(_FROM, low[0], "", after)
    out.add(_ABOVE, high[0], after, "")
    edges = []
    if any(low[1:]):
        out.add(_EQUAL, low[0], beginning, "")
        edges.append((beginning, low[1:], [0xFFFFFFFF] * rest))
    if any(word != 0xFFFFFFFF for word in high[1:]):
        out.add(_EQUAL, high[0], end, "")
        edges.append((end, [0] * rest, high[1:]))
    out.add(_JUMP, 0, found)
    for label, first, last in edges:
        out.label(label)
        _compare(out, first, last, found, after, place=place + 1)


def _add_ports(out: _Listing, ports: tuple[Span, ...]) -> None:
    if ports != _ANY_PORT:
        out.add(_HALF, 0)
    for low, high in ports:
        after = "after " + out.fresh()
        if low:
            out.add(_FROM, low, "", after)
        if high < 0xFFFF:
            out.add(_ABOVE, high, after, "")
        out.add(_JUMP, 0, "known")
        out.label(after)
    if ports != _ANY_PORT:
        out.add(_JUMP, 0, "stranger")


@dataclass(frozen=True, slots=True)
class Installed:
    """A filter that a socket has: whether ours comes first, and what the program has added (b"": nothing)."""

    ours: bool
    locked: bool
    own: bytes


def apart(code: bytes) -> Installed:
    """What ``code`` is made of."""
    if len(code) > 2 * _SIZE and code[:_SIZE] == struct.pack("HBBI", _VALUE, 0, 0, _MARK):
        length = int.from_bytes(code[12:16], "little")
        own = code[(length & ~_LOCKED) * _SIZE :]
        return Installed(True, bool(length & _LOCKED), b"" if own == WHOLE else own)
    return Installed(False, False, code)
