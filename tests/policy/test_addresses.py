"""Addresses print as the kernel prints them."""

import pytest

from sekisho.policy.addresses import NotAnAddress, canonical_address
from sekisho.policy.model import Address


@pytest.mark.parametrize(
    ("text", "canonical", "version", "low", "high"),
    [
        ("127.0.0.1", "127.0.0.1", 4, 0x7F000001, 0x7F000001),
        ("10.0.0.0-10.255.255.255", "10.0.0.0-10.255.255.255", 4, 0x0A000000, 0x0AFFFFFF),
        ("10.0.0.1-10.0.0.1", "10.0.0.1", 4, 0x0A000001, 0x0A000001),
        ("0:0:0:0:0:0:0:1", "::1", 6, 1, 1),
        ("FE80::ABCD", "fe80::abcd", 6, 0xFE80 << 112 | 0xABCD, 0xFE80 << 112 | 0xABCD),
        ("::-::F", "::-::f", 6, 0, 15),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4", 6, 0xFFFF01020304, 0xFFFF01020304),
    ],
)
def test_canonical_addresses(text, canonical, version, low, high):
    address = canonical_address(text)

    assert address == Address(canonical, version, low, high)
    assert canonical_address(address.text) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected an address"),
        ("localhost", "expected an address"),
        ("1.2.3", "expected an address"),
        ("1.2.3.256", "expected an address"),
        ("1.2.3.4-", "expected an address"),
        ("10.0.0.0/8", "expected an address"),
        ("fe80::1%eth0", "no zone"),
        ("1.2.3.4-::1", "one IP version"),
        ("1.2.3.4-1.2.3.1", "from the lower to the higher"),
    ],
)
def test_what_is_no_address(text, message):
    with pytest.raises(NotAnAddress, match=message):
        canonical_address(text)
