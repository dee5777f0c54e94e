"""Who may change policy through the interface files (spec g.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sekisho.interface.authority import Authority
from sekisho.interface.memory import Meter

_REMEMBERED: Final = 4096
"""Of so many processes it is remembered that their refusal was told."""


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom something is done: process (or thread) and effective user."""

    pid: int
    user: int
    is_administrator: bool = False
    """One of Sekisho's own commands, run by someone who could change the policy directory itself."""


class Access:
    """The manager check; ``log`` is told of each process that was refused, once."""

    def __init__(self, authority: Authority, log: Callable[[str], None]) -> None:
        self._authority = authority
        self._log = log
        self.meter = Meter()
        self._refused: dict[int, None] = {}

    def is_full(self) -> bool:
        """Whether policy takes all the memory it may, so that nothing more can be added."""
        quota = self._authority.statistics.policy_memory.quota
        return quota > 0 and self.meter.measure(self._authority.policy) >= quota

    def permits(self, caller: Caller) -> bool:
        """Whether ``caller`` may change policy now."""
        authority = self._authority
        if caller.is_administrator or not authority.active:
            return True
        policy = authority.policy
        if not policy.manage_by_non_root and caller.user not in (0, authority.owner):
            return False
        domain = authority.domain_of(caller.pid)
        name = domain.name if domain is not None else "<unknown>"
        program = authority.executable_of(caller.pid)
        if domain is not None and (program in policy.managers or name in policy.managers):
            return True
        self._tell(caller.pid, f"{name} ( {program or '<unknown>'} ) is not permitted to update policies.")
        return False

    def _tell(self, pid: int, text: str) -> None:
        if pid in self._refused:
            return
        if len(self._refused) >= _REMEMBERED:
            del self._refused[next(iter(self._refused))]
        self._refused[pid] = None
        self._log(text)
