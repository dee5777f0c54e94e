"""``stat``: how often policy changed and was violated, what memory is used; and quotas for that (spec g.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sekisho.interface.handle import TextFile
from sekisho.policy.stat import Memory, Statistics, print_stat

_QUOTA: Final = re.compile(r"Memory used by (policy|audit log|query message): ?([0-9]{1,10})(?![0-9])")
_FIELDS: Final = {"policy": "policy_memory", "audit log": "audit_memory", "query message": "query_memory"}
_MOST: Final = 2**32 - 1


class Stat(TextFile):
    """The counters; ``Memory used by audit log: 16777216`` sets a quota, 0 takes it away."""

    def text(self) -> Iterator[str]:
        """Everything as it is now."""
        yield print_stat(self._now())

    def _now(self) -> Statistics:
        authority = self.authority
        known = authority.statistics
        return replace(
            known,
            policy_memory=replace(known.policy_memory, used=self.access.meter.measure(authority.policy)),
            audit_memory=replace(known.audit_memory, used=authority.audit.memory),
            query_memory=replace(known.query_memory, used=authority.questions.memory),
        )

    def line(self, line: str) -> bool:
        """A quota."""
        found = _QUOTA.match(line)
        if found is None:
            return False
        field = _FIELDS[found[1]]
        known: Memory = getattr(self.authority.statistics, field)
        memory = replace(known, quota=min(int(found[2]), _MOST))
        self.authority.statistics = replace(self.authority.statistics, **{field: memory})  # type: ignore[arg-type]
        return True
