from __future__ import annotations

import ipaddress
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.engine.supervisor.objects import address
from sekisho.engine.supervisor.objects.address import Inet

UNIX = struct.pack("H", socket.AF_UNIX)


def inet4(text: str, port: int, tail: bytes = bytes(8)) -> bytes:
    return struct.pack("H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(text) + tail


def inet6(text: str, port: int, tail: bytes = bytes(4)) -> bytes:
    head = struct.pack("H", socket.AF_INET6) + struct.pack("!HI", port, 0)
    return head + socket.inet_pton(socket.AF_INET6, text) + tail


@pytest.mark.parametrize(
    ("raw", "family"),
    [(b"", socket.AF_UNSPEC), (b"\x02", socket.AF_UNSPEC), (UNIX, socket.AF_UNIX), (b"\x02\x00", socket.AF_INET)],
)
def test_family(raw: bytes, family: int) -> None:
    assert family == address.family(raw)


@given(st.ip_addresses(v=4), st.integers(0, 65535))
def test_any_ipv4_address(ip: ipaddress.IPv4Address, port: int) -> None:
    assert Inet(str(ip), port) == address.inet(inet4(str(ip), port))


@given(st.ip_addresses(v=6), st.integers(0, 65535))
def test_any_ipv6_address(ip: ipaddress.IPv6Address, port: int) -> None:
    got = address.inet(inet6(str(ip), port))

    assert got is not None
    assert (ip, port) == (ipaddress.IPv6Address(got.text), got.port)


@pytest.mark.parametrize(
    "text",
    ["::", "::1", "fe80::1", "2001:db8::1:0:0:1", "2001:db8:0:1:1:1:1:1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"],
)
def test_ipv6_is_spelt_as_the_kernel_spells_it(text: str) -> None:
    assert text == address.ipv6_text(socket.inet_pton(socket.AF_INET6, text))


def test_an_address_cut_short() -> None:
    assert Inet("192.0.2.1", 80) == address.inet(inet4("192.0.2.1", 80, b""))
    assert address.inet(inet4("192.0.2.1", 80, b"")[:-1]) is None
    assert Inet("::1", 80) == address.inet(inet6("::1", 80, b""))
    assert address.inet(inet6("::1", 80, b"")[:-1]) is None


def test_other_families_are_no_internet_addresses() -> None:
    assert address.inet(UNIX + b"/path") is None
    assert address.inet(struct.pack("H", socket.AF_NETLINK) + bytes(20)) is None


@pytest.mark.parametrize(
    ("raw", "name", "is_path"),
    [
        (UNIX, None, False),
        (UNIX + b"/run/x", b"/run/x", True),
        (UNIX + b"/run/x\0", b"/run/x", True),
        (UNIX + b"/run/x\0garbage", b"/run/x", True),
        (UNIX + b"relative", b"relative", True),
        (UNIX + b"\0abstract", b"\0abstract", False),
        (UNIX + b"\0with\0zero", b"\0with\0zero", False),
        (UNIX + b"\0", b"\0", False),
    ],
)
def test_unix_addresses(raw: bytes, name: bytes | None, is_path: bool) -> None:
    assert (name, is_path) == (address.unix_name(raw), address.is_path(raw))


def test_a_path_of_another_family_is_none() -> None:
    assert not address.is_path(inet4("1.2.3.4", 5))
