"""What a list says of each Internet address: exact endpoints, and what else there is by intervals of addresses."""

from __future__ import annotations

import ctypes
from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.chains import settle
from sekisho.engine.lsm.compile.items import Item
from sekisho.engine.lsm.compile.numbers import merged
from sekisho.engine.lsm.compile.rows import Body, RuleRow, Span
from sekisho.policy.model import Address, Namespace

_VERSIONS: Final = (4, 6)


class AddressTable:
    """Files items under addresses; ``finish`` then says what there is to find.

    ``endpoints`` are (bit number, port, version, address); ``intervals`` are (version, low, high, chain, count),
    ascending, none of which overlap.
    """

    def __init__(self, namespace: Namespace, body: Body) -> None:
        self._namespace = namespace
        self._body = body
        self._items: list[Item] = []
        self.endpoints: dict[tuple[int, int, int, int], None] = {}
        self.intervals: list[tuple[int, int, int, int, int]] = []

    def add(self, item: Item) -> None:
        """Files the item; items come in the order of entries, and know what blocks them."""
        lead = item.lead
        assert isinstance(lead, Address)
        if lead.group is not None or lead.low != lead.high or item.special or item.conditions[1] or not item.tests:
            self._items.append(item)
            return
        port = item.tests[0]
        if port.kind != layout.TEST_NUMBER or port.low != port.high or item.operations & item.blocked:
            self._items.append(item)
            return
        for bit in range(item.operations.bit_length()):
            if item.operations >> bit & 1:
                self.endpoints[bit, port.low, lead.version, lead.low] = None

    def finish(self) -> None:
        """Everything filed is in ``endpoints`` and ``intervals``."""
        for version in _VERSIONS:
            starts: dict[int, list[Item]] = {}
            ends: dict[int, list[Item]] = {}
            for item in self._items:
                for low, high in self._covered(item, version):
                    starts.setdefault(low, []).append(item)
                    ends.setdefault(high + 1, []).append(item)
            self._sweep(version, starts, ends)

    def _covered(self, item: Item, version: int) -> tuple[Span, ...]:
        """The addresses that the item is about, as disjoint ranges."""
        lead = item.lead
        assert isinstance(lead, Address)
        members = [lead] if lead.group is None else self._namespace.address_groups.get(lead.group, [])
        return merged((member.low, member.high) for member in members if member.version == version)

    def _sweep(self, version: int, starts: dict[int, list[Item]], ends: dict[int, list[Item]]) -> None:
        """Appends the intervals between points, in each of which the same items are about all addresses."""
        active: dict[int, Item] = {}
        points = sorted({*starts, *ends})
        for place, point in enumerate(points):
            for item in ends.get(point, ()):
                del active[item.entry]
            for item in starts.get(point, ()):
                active[item.entry] = item
            if not active:
                continue
            settled = settle([active[entry] for entry in sorted(active)], plainable=0)
            rules: tuple[RuleRow, ...] = tuple(item.rule(mask) for item, mask in settled.kept)
            chain = self._body.chain(rules)
            before = self.intervals[-1] if self.intervals else None
            if before is not None and before[0] == version and before[2] + 1 == point and before[3:] == chain:
                self.intervals[-1] = (version, before[1], points[place + 1] - 1, *chain)
            else:
                self.intervals.append((version, point, points[place + 1] - 1, *chain))


def endpoint_key(list_id: int, endpoint: tuple[int, int, int, int]) -> layout.EndpointKey:
    """The key under which an endpoint (bit number, port, version, address) of the list stands."""
    bit, port, version, address = endpoint
    return layout.EndpointKey(list_id, bit, port, version, octets(address))


def octets(address: int) -> ctypes.Array[ctypes.c_uint8]:
    """An address as maps hold it: sixteen bytes, those of IPv4 last."""
    return (ctypes.c_uint8 * 16)(*address.to_bytes(16, "big"))
