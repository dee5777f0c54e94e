"""Which mode holds for a whole system call in a domain; remembered, since every call asks."""

from __future__ import annotations

from typing import Final

from sekisho.policy.grammar import PROFILE_OPERATIONS
from sekisho.policy.model import Domain, Mode, Policy

_ANY: Final = -1
"""Stands for a system call number where the whole domain is meant."""


class Modes:
    """The strictest modes of one policy's domains, per system call."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[tuple[Domain, int], tuple[int, Mode]] = {}

    def forget(self) -> None:
        """Profiles may have changed."""
        self._known.clear()

    def of(self, domain: Domain, number: int, operations: tuple[str, ...]) -> Mode:
        """The strictest mode of what system call ``number`` can ask for in ``domain``.

        That is of ``operations`` (profile names), or of any operation at all when it has none of its own.
        """
        known = self._known.get((domain, number))
        if known is not None and known[0] == domain.profile:
            return known[1]
        config = self._policy.config
        mode = max(config(domain, operation).mode for operation in operations or PROFILE_OPERATIONS)
        self._known[domain, number] = (domain.profile, mode)
        return mode

    def strictest(self, domain: Domain) -> Mode:
        """The strictest mode of any operation in ``domain``."""
        return self.of(domain, _ANY, ())
