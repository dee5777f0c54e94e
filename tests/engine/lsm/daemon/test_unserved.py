from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.engine.lsm.daemon.unserved import unserved
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy

DOMAINS = """\
<kernel>
use_profile 0

<kernel> /one
use_profile 3
file read /etc/passwd

<kernel> /two
use_profile 3
file read /etc/passwd
task auto_execute_handler  /handler task.uid=0
"""
EXCEPTIONS = """\
keep_domain any from /one
acl_group 3 task denied_execute_handler /handler
<other> acl_group 4 task auto_execute_handler /handler
"""


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    policy = Policy()
    parse_domain_policy(DOMAINS, policy)
    parse_exception_policy(EXCEPTIONS, policy)
    (tmp_path / "domain_policy.conf").write_text(DOMAINS)
    (tmp_path / "exception_policy.conf").write_text(EXCEPTIONS)
    return policy


def test_entries_are_told_with_file_and_line(policy: Policy, tmp_path: Path) -> None:
    told = unserved(policy, tmp_path)

    assert [
        f"{tmp_path}/domain_policy.conf:11: task auto_execute_handler /handler task.uid=0",
        f"{tmp_path}/exception_policy.conf:2: task denied_execute_handler /handler",
        f"{tmp_path}/exception_policy.conf:3: task auto_execute_handler /handler",
    ] == [each.rpartition(": no hook can")[0] for each in told]
    assert "what the handler would replace is refused" in told[0]


def test_what_isnt_on_disk_is_told_by_its_domain(policy: Policy, tmp_path: Path) -> None:
    for path in tmp_path.iterdir():
        path.unlink()

    assert ["<kernel> /two", "<kernel> acl_group 3", "<other> acl_group 4"] == [
        each.partition(": task")[0] for each in unserved(policy, tmp_path)
    ]


def test_other_policies_have_nothing_to_tell(tmp_path: Path) -> None:
    assert not unserved(Policy(), tmp_path)
