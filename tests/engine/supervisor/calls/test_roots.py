"""After a chroot(2) that was let through the root directory is one of those expected, or its process is killed."""

from __future__ import annotations

import os

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import roots


@pytest.mark.parametrize("expected", [True, False])
def test_another_root_than_expected(enforcing: Stage, monkeypatch: pytest.MonkeyPatch, expected: bool) -> None:
    killed: list[str] = []
    monkeypatch.setattr(enforcing.supervisor.executions, "kill", lambda process, reason: killed.append(reason))
    status = os.stat("/")
    roots.expect(enforcing.process, os.getpid(), {(status.st_dev, status.st_ino if expected else 0)})

    enforcing.handle("fork")

    assert expected is not bool(killed)
    assert enforcing.process.expected_roots is None
