"""What policy says that isn't decided in the kernel: done by the daemon or, where it can't be, told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sekisho.engine.lsm.daemon.ports import ReservedPorts, denied
from sekisho.engine.lsm.daemon.unserved import unserved
from sekisho.policy.model import Domain, Policy


class Beyond:
    """For one daemon; ``say`` tells the administrator."""

    def __init__(self, policy: Policy, directory: Path, say: Callable[[str], None]) -> None:
        self._policy = policy
        self._directory = directory
        self._say = say
        self._ports = ReservedPorts()
        self.unserved: list[str] = []
        """Entries that can't do what they say, and why."""

    def follow(self, *, active: bool) -> None:
        """All is as policy, which is in force if it is ``active``, says now."""
        self.unserved = unserved(self._policy, self._directory)
        for each in self.unserved:
            self._say(each)
        try:
            self._ports.hold(denied(self._policy) if active else ())
        except (OSError, ValueError) as error:
            self._say(f"deny_autobind isn't in force: {error}")

    def penalty(self, domain: Domain) -> int:
        """For how many tenths of a second whoever is refused something in ``domain`` sleeps."""
        profile = self._policy.namespaces[domain.namespace].profiles.get(domain.profile)
        return profile.enforcing_penalty if profile is not None else 0
