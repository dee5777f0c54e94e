from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.engine.lsm.daemon import beyond as module
from sekisho.engine.lsm.daemon.beyond import Beyond
from sekisho.engine.lsm.daemon.ports import ReservedPorts
from sekisho.policy.model import Policy, Profile
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy

DOMAINS = "<kernel>\nuse_profile 3\n\n<kernel> /x\nuse_profile 0\ntask denied_execute_handler /h\n"


def test_it_follows_policy_and_tells_what_it_cant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "listed"
    monkeypatch.setattr(module, "ReservedPorts", lambda: ReservedPorts(listed, tmp_path / "record"))
    policy = Policy()
    said: list[str] = []
    parse_domain_policy(DOMAINS, policy)
    parse_exception_policy("deny_autobind 5000-5001\n", policy)
    policy.namespaces["<kernel>"].profiles[3] = Profile(enforcing_penalty=4)
    held = Beyond(policy, tmp_path, said.append)

    held.follow(active=True)
    assert held.unserved == said[:1] and said[0].startswith("<kernel> /x: task denied_execute_handler /h: no hook")
    assert said[1].startswith("deny_autobind isn't in force: ") and len(said) == 2

    listed.write_text("\n")
    held.follow(active=True)
    assert "5000-5001\n" == listed.read_text()
    held.follow(active=False)
    assert "\n" == listed.read_text()
    assert [4, 0] == [held.penalty(policy.domains[name]) for name in ("<kernel>", "<kernel> /x")]
