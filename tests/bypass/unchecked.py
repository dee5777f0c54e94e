"""``sekisho`` with a supervisor that finds a grant for everything. The first word says whether Landlock is there."""

from __future__ import annotations

import sys

from sekisho.cli.main import main
from sekisho.decide.decision import Decision
from sekisho.decide.request import Request
from sekisho.engine import judge
from sekisho.engine.supervisor.calls import glance
from sekisho.engine.supervisor.system import landlock
from sekisho.policy.model import Domain, Mode, Policy


def grant(policy: Policy, domain: Domain, request: Request) -> Decision:
    """Yes, without asking policy."""
    return Decision(
        granted=True, mode=Mode.ENFORCING, entry=None, matched=None, grant_log=False, reject_log=False, cacheable=True
    )


judge.decide = glance.decide = grant  # type: ignore[attr-defined]
if sys.argv.pop(1) == "without":
    landlock.known = lambda: (0, 0)  # type: ignore[assignment]
sys.exit(main())
