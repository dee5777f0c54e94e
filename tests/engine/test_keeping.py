"""What a keeper leaves on disk; tests/engine/supervisor/running/test_session.py looks at one in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.decide.support import request

from sekisho.audit.values import MISSING
from sekisho.decide.request import Facts
from sekisho.engine.judge import Nobody
from sekisho.engine.keeping import Keeper
from sekisho.engine.ration import BURST
from sekisho.engine.records import RecordQueue
from sekisho.policy.edit import ensure_domain
from sekisho.store.directory import PolicyDirectory

READ = request("file read /etc/passwd")


@pytest.fixture
def keeper(policy_directory: Path) -> Iterator[Keeper]:
    directory = PolicyDirectory(policy_directory)
    directory.create()
    keeper = Keeper(directory, directory.load(), RecordQueue(), lambda text: None)
    yield keeper
    keeper.close()


def test_what_is_learned_is_kept_at_once_and_saved_soon(keeper: Keeper) -> None:
    domain = ensure_domain(keeper.policy, "<kernel> /program")
    domain.profile = 1
    assert keeper.is_saved

    assert keeper.judge(Nobody()).allows(domain, [READ])

    (journal,) = keeper.directory.path.glob("*.journal")
    assert "file read /etc/passwd" in journal.read_text()
    assert 0 < keeper.patience() <= 2
    keeper.save()
    assert keeper.is_saved
    assert "file read /etc/passwd" in (keeper.directory.path / "domain_policy.conf").read_text()


def test_notices_stand_in_the_log(keeper: Keeper) -> None:
    keeper.note(keeper.policy.domains["<kernel>"], "quota_exceeded", Facts())

    (line,) = keeper.directory.audit_log.read_text().splitlines()
    assert "quota_exceeded" == json.loads(line)["acl"]


def test_who_is_refused_for_ever_fills_no_disk_and_that_is_told(policy_directory: Path) -> None:
    directory = PolicyDirectory(policy_directory)
    directory.create()
    said: set[str] = set()
    keeper = Keeper(directory, directory.load(), RecordQueue(), said.add)
    domain = ensure_domain(keeper.policy, "<kernel> /program")
    domain.profile = 3
    judge = keeper.judge(Nobody())

    assert not any(judge.allows(domain, [READ]) for _ in range(BURST + 1000))
    assert keeper.patience() > 0
    keeper.close()

    acls = [json.loads(line)["acl"] for line in directory.audit_log.read_text().splitlines()]
    missing = [int(acl.split()[1]) for acl in acls if acl.startswith(MISSING)]
    assert BURST + 1000 == len(acls) - len(missing) + sum(missing)
    assert BURST <= len(acls) < BURST + 1000
    assert [text for text in said if "<kernel> /program is refused so often" in text]
