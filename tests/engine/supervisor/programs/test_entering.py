from __future__ import annotations

import pytest
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.engine.supervisor.calls import cores
from sekisho.engine.supervisor.programs import entering
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Domain


def test_limits_and_sockets(enforcing: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    former = ensure_domain(enforcing.policy, f"{DOMAIN} /before")
    monkeypatch.setattr(cores, "withhold", lambda supervisor, process: seen.append(process.domain))

    def heard(process: object, left: Domain) -> None:
        seen.append(left)

    monkeypatch.setattr(enforcing.supervisor.earshot, "entered", heard)

    entering.entered(enforcing.supervisor, enforcing.process, former)

    assert [enforcing.domain, former] == seen
