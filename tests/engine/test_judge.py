"""The judge as no engine in particular has it; tests/engine/supervisor/test_judge.py looks at all it does in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.decide.support import request

from sekisho.engine.judge import Judge, Nobody
from sekisho.learn.rewrite import RewriteRules
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Mode, Policy
from sekisho.policy.parser import parse_profile
from sekisho.policy.printer import print_acl
from sekisho.store.defaults import profiles

READ = request("file read /etc/passwd")


@pytest.mark.parametrize("mode", list(Mode))
def test_what_a_refusal_comes_to(mode: Mode, tmp_path: Path) -> None:
    policy = Policy()
    parse_profile(profiles(), policy)
    domain = ensure_domain(policy, "<kernel> /program")
    domain.profile = mode.value
    recorded: list[bool] = []
    learned: list[str] = []
    judge = Judge(
        policy,
        RewriteRules(),
        lambda domain, request, decision: recorded.append(decision.granted),
        lambda domain, text, facts: None,
        lambda domain, entry: learned.append(print_acl(entry)),
        lambda mode: None,
        Nobody(),
    )

    assert (mode is not Mode.ENFORCING) is judge.allows(domain, [READ])
    assert ([] if mode is Mode.DISABLED else [False]) == recorded
    assert (["file read /etc/passwd"] if mode is Mode.LEARNING else []) == learned
