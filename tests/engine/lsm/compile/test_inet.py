"""Endpoints, and intervals of addresses."""

from __future__ import annotations

from ipaddress import ip_address

from tests.engine.lsm.compile.support import Compiled

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.inet import octets

CONNECT = layout.BITS["network inet stream connect"]


def intervals(made: Compiled) -> list[tuple[str, str, list[int]]]:
    """Addresses, and the entries that are asked for them."""
    result = []
    for each in made.list.intervals:
        low, high = (str(ip_address(bytes(end)[12 if each.version == 4 else 0 :])) for end in (each.low, each.high))
        rules = made.list.rules[each.chain : each.chain + each.count]
        result.append((low, high, [rule.entry for rule in rules]))
    return result


def test_an_address_with_a_port_is_found_by_both() -> None:
    made = Compiled("network inet stream connect 10.0.0.1 80", "network inet stream connect ::1 80")

    assert [(CONNECT, 80, 4, 0x0A000001), (CONNECT, 80, 6, 1)] == made.list.endpoints
    assert [] == intervals(made)
    assert 1 << CONNECT == made.list.header.inet


def test_what_says_more_keeps_its_place_before_them() -> None:
    made = Compiled(
        "network inet stream connect 10.0.0.1 80",
        "network inet stream connect 10.0.0.0-10.0.0.9 1-99 grant_log=no",
        "network inet stream connect 10.0.0.2 80",
    )

    assert [(CONNECT, 80, 4, 0x0A000001)] == made.list.endpoints
    assert [("10.0.0.0", "10.0.0.1", [1]), ("10.0.0.2", "10.0.0.2", [1, 2]), ("10.0.0.3", "10.0.0.9", [1])] == (
        intervals(made)
    )


def test_intervals_ascend_by_version_and_don_t_overlap() -> None:
    made = Compiled(
        "network inet stream connect ::5-::9 1-9",
        "network inet stream connect 10.0.0.5-10.0.0.9 1-9",
        "network inet stream connect @A 0-65535",
        "network inet stream connect 0.0.0.0-255.255.255.255 7",
        A="10.0.0.8 10.0.0.9-10.0.0.12",
    )

    assert [
        ("0.0.0.0", "10.0.0.4", [3]),
        ("10.0.0.5", "10.0.0.7", [1, 3]),
        ("10.0.0.8", "10.0.0.9", [1, 2]),
        ("10.0.0.10", "10.0.0.12", [2]),
        ("10.0.0.13", "255.255.255.255", [3]),
        ("::5", "::9", [0]),
    ] == intervals(made)


def test_an_address_of_version_4_stands_last() -> None:
    assert bytes(12) + b"\x0a\0\0\x01" == bytes(octets(0x0A000001))
