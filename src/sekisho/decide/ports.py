"""Local ports that the system mustn't choose by itself: ``deny_autobind`` (TOMOYO 1.8)."""

from __future__ import annotations

from sekisho.policy.model import Domain, Policy


def denies_ports(policy: Policy, domain: Domain) -> bool:
    """Whether any port is denied to programs in ``domain``."""
    return bool(policy.namespaces[domain.namespace].denied_ports)


def free_ranges(policy: Policy, domain: Domain, low: int, high: int) -> list[range]:
    """The ports from ``low`` to ``high`` that a program in ``domain`` may be given, in ascending order."""
    free: list[range] = []
    for denied in sorted(policy.namespaces[domain.namespace].denied_ports, key=lambda ports: ports.low):
        if low < denied.low:
            free.append(range(low, min(denied.low, high + 1)))
        low = max(low, denied.high + 1)
        if low > high:
            return free
    free.append(range(low, high + 1))
    return free
