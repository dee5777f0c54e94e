"""Everything enforced for a while, and then not any more unless somebody says that it works."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sekisho.policy.model import Domain, Mode, Policy


@dataclass(slots=True)
class Trial:
    """Domains in a learning or permissive profile are in an enforcing one until ``deadline``."""

    policy: Policy
    now: Callable[[], float] = time.monotonic
    deadline: float | None = None
    _before: dict[Domain, int] = field(default_factory=dict)

    def begin(self, seconds: float) -> int:
        """What isn't enforced is, for so many seconds; how many domains that are."""
        for domain in self.policy.domains.values():
            profile = self._enforcing(domain)
            if profile is not None:
                self._before.setdefault(domain, domain.profile)
                domain.profile = profile
                domain.generation += 1
        self.deadline = self.now() + seconds
        return len(self._before)

    def _enforcing(self, domain: Domain) -> int | None:
        """The first enforcing profile, for a domain that is in one of the two modes before it."""
        profiles = self.policy.namespaces[domain.namespace].profiles
        held = profiles.get(domain.profile)
        if held is None or held.configs[""].mode not in (Mode.LEARNING, Mode.PERMISSIVE):
            return None
        found = (number for number, each in sorted(profiles.items()) if each.configs[""].mode is Mode.ENFORCING)
        return next(found, None)

    def confirm(self) -> bool:
        """It stays so; whether there was anything to confirm."""
        running = self.deadline is not None
        self._before.clear()
        self.deadline = None
        return running

    def look(self) -> bool:
        """Whether time was up, and every domain is again as it was."""
        if self.deadline is None or self.now() < self.deadline:
            return False
        for domain, profile in self._before.items():
            domain.profile = profile
            domain.generation += 1
        self.confirm()
        return True
