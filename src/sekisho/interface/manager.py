"""``manager``: who may change policy through these files (spec g.2)."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.errors import PolicyError
from sekisho.interface.handle import TextFile, pieces
from sekisho.policy.parse_manager import parse_manager


class Manager(TextFile):
    """Programs and domains; that others than root may be one isn't shown."""

    def text(self) -> Iterator[str]:
        """A line for each."""
        return pieces("".join(f"{manager}\n" for manager in self.authority.policy.managers))

    def line(self, line: str) -> bool:
        """``PROGRAM``, ``DOMAIN``, ``manage_by_non_root``, or ``delete`` and any of them."""
        if line[:1] in ("", "#"):
            return False
        policy = self.authority.policy
        before = list(policy.managers), policy.manage_by_non_root
        try:
            parse_manager(line, policy)
        except PolicyError:
            return False
        return before != (policy.managers, policy.manage_by_non_root) or not line.startswith("delete ")
