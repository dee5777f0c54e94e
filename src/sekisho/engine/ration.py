"""How much of a domain's refusals the audit log takes: whoever asks for ever fills no disk with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from sekisho.audit.values import MISSING, Record
from sekisho.policy.model import Mode

BURST: Final = 1000
"""So many refusals of a domain are logged one after the other."""
RATE: Final = 10.0
"""So many a second from then on."""
QUIET: Final = 10.0
"""Seconds after which at the latest the log says how many it is short of."""


@dataclass(slots=True)
class _Share:
    """What is left to a domain at a time, and what it didn't get."""

    left: float
    at: float
    withheld: int = 0
    last: Record | None = None


class Ration:
    """Each domain's share. Refusals alone are counted: what else is logged policy or a profile has asked for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shares: dict[str, _Share] = {}
        self._short: dict[str, _Share] = {}
        self._told = 0.0

    def admits(self, record: Record) -> bool:
        """Whether ``record`` is to be logged; else it is counted."""
        if record.granted or record.mode is not Mode.ENFORCING:
            return True
        now = self._clock()
        share = self._shares.setdefault(record.domain, _Share(BURST, now))
        share.left = min(BURST, share.left + (now - share.at) * RATE)
        share.at = now
        if share.left >= 1:
            share.left -= 1
            return True
        share.withheld += 1
        share.last = record
        if not self._short:
            self._told = now
        self._short[record.domain] = share
        return False

    def patience(self) -> float:
        """How long what is missing can go unsaid, in seconds (-1: there is nothing to say)."""
        return max(0.0, self._told + QUIET - self._clock()) if self._short else -1

    def missing(self) -> Iterator[Record]:
        """What the log is to say of each domain of which it hasn't all since this was asked for last."""
        short, self._short = self._short, {}
        for share in short.values():
            if share.last is not None:
                yield replace(
                    share.last, time=time.time(), acl=f"{MISSING} {share.withheld}", path1=None, path1_parent=None,
                    path2=None, path2_parent=None, execution=None, symlink_target=None,
                )  # fmt: skip
            share.withheld, share.last = 0, None
