"""Whom a domain may hear on its datagram and raw sockets of the Internet, whether or not it asks who has sent.

Who may be sent to may be heard, too, as on a connected socket. It is never finer than policy: conditions don't count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from sekisho.policy.model import AclEntry, Address, Domain, Mode, Number, Policy

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sender:
    """Addresses of one IP version from ``low`` to ``high``, each with the ports (or protocols) ``ports``."""

    version: int
    low: int
    high: int
    ports: Span

    def is_it(self, address: str, port: int) -> bool:
        """Whether it is the one at ``address``, in policy's spelling."""
        found = ip_address(address)
        within = self.low <= int(found) <= self.high
        return found.version == self.version and within and self.ports[0] <= port <= self.ports[1]


Senders = tuple[Sender, ...]


def senders(policy: Policy, domain: Domain, kind: str) -> Senders | None:
    """Whom ``domain`` may hear on sockets of type ``kind``; None for everybody."""
    for verb in ("recv", "send"):
        # Where anybody may be sent to, anybody may be heard on a connected socket.
        if policy.config(domain, f"network::inet_{kind}_{verb}").mode is not Mode.ENFORCING:
            return None
    keywords = {f"network inet {kind} {verb}" for verb in ("recv", "send")}
    found = {
        Sender(address.version, address.low, address.high, (number.low, min(number.high, 0xFFFF)))
        for entry in _entries(policy, domain)
        if any(operation.keyword in keywords for operation in entry.operations)
        for address, number in _named(policy, domain, entry)
        if number.low <= 0xFFFF
    }
    return tuple(sorted(found, key=lambda each: (each.version, each.low, each.high, each.ports)))


def names_anybody(policy: Policy, domain: Domain, kind: str) -> bool:
    """Whether any line of ``domain`` is about receiving on sockets of type ``kind``."""
    keyword = f"network inet {kind} recv"
    return any(operation.keyword == keyword for entry in _entries(policy, domain) for operation in entry.operations)


def _entries(policy: Policy, domain: Domain) -> Iterator[AclEntry]:
    yield from domain.entries
    groups = policy.namespaces[domain.namespace].acl_groups
    for number in domain.groups:
        if number in groups:
            yield from groups[number].entries


def _named(policy: Policy, domain: Domain, entry: AclEntry) -> Iterator[tuple[Address, Number]]:
    namespace = policy.namespaces[domain.namespace]
    address, number = entry.operands
    assert isinstance(address, Address)
    assert isinstance(number, Number)
    numbers = [number] if number.group is None else namespace.number_groups.get(number.group, [])
    for each in [address] if address.group is None else namespace.address_groups.get(address.group, []):
        for one in numbers:
            yield each, one
