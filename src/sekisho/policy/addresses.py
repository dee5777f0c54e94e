"""Internet addresses of policy text: one IPv4 or IPv6 address, or a range of two of the same version."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from sekisho.policy.model import Address


class NotAnAddress(ValueError):
    """The text isn't what it should be; ``str()`` says what it should be."""


@lru_cache(maxsize=4096)
def canonical_address(text: str) -> Address:
    """The address or range that ``text`` (no group) writes; its ``text`` is as the kernel prints it.

    Raises:
        NotAnAddress: it isn't one.
    """
    low_text, dash, high_text = text.partition("-")
    low = _read(low_text, text)
    high = _read(high_text, text) if dash else low
    if low.version != high.version:
        raise NotAnAddress(f"both ends of a range are of one IP version, found {text!r}")
    if int(low) > int(high):
        raise NotAnAddress(f"a range goes from the lower to the higher address, found {text!r}")
    shown = format_address(low) if low == high else f"{format_address(low)}-{format_address(high)}"
    return Address(shown, low.version, int(low), int(high))


def _read(word: str, text: str) -> IPv4Address | IPv6Address:
    try:
        address = IPv6Address(word) if ":" in word else IPv4Address(word)
    except AddressValueError:
        raise NotAnAddress(
            f"expected an address such as 127.0.0.1 or ::1, or a range such as 10.0.0.1-10.0.0.9, found {text!r}"
        ) from None
    if "%" in word:
        raise NotAnAddress(f"an address has no zone in policy, found {text!r}")
    return address


def format_address(address: IPv4Address | IPv6Address) -> str:
    """The address as the kernel writes it: IPv6 compressed in lower case, a mapped IPv4 address in dots."""
    if isinstance(address, IPv4Address):
        return str(address)
    embedded = address.ipv4_mapped
    return f"::ffff:{embedded}" if embedded is not None else address.compressed
