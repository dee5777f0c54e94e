from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engine.lsm.daemon.test_events import raw
from tests.engine.lsm.publish.memory import MemoryMaps

from sekisho.engine.judge import Nobody
from sekisho.engine.keeping import Keeper
from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon.learner import Learner
from sekisho.engine.lsm.publish.domains import Domains
from sekisho.engine.lsm.publish.names import Names
from sekisho.engine.records import RecordQueue
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Domain
from sekisho.policy.printer import print_acl
from sekisho.store.directory import PolicyDirectory

SHELL = "<kernel> /bin/sh"


@dataclass
class Stage:
    learner: Learner
    maps: MemoryMaps
    domain: Domain
    changed: list[str]

    @property
    def number(self) -> int:
        return self.learner.domains.domain(SHELL)

    def lines(self) -> list[str]:
        return [print_acl(entry) for entry in self.domain.entries]

    def records(self) -> list[tuple[str, str, bool]]:
        path = self.learner.keeper.directory.audit_log
        found = [json.loads(line) for line in path.read_text().splitlines()]
        return [(each["mode"], each["acl"], each["granted"]) for each in found]


@pytest.fixture
def stage(policy_directory: Path) -> Iterator[Stage]:
    directory = PolicyDirectory(policy_directory)
    directory.create()
    policy = directory.load()
    keeper = Keeper(directory, policy, RecordQueue(), lambda text: None)
    maps = MemoryMaps()
    domain = ensure_domain(policy, SHELL)
    domain.profile = 1
    domains = Domains(maps, Names(maps))
    changed: list[str] = []
    learner = Learner(policy, keeper, keeper.judge(Nobody()), domains, lambda each: changed.append(each.name))
    yield Stage(learner, maps, domain, changed)
    keeper.close()


def event(stage: Stage, operation: str, *texts: bytes, mode: int = 1, **fields: object) -> bytes:
    given = bytearray(raw(operation, *texts, mode=mode, **fields))
    layout.Event.from_buffer(given).domain = stage.number
    return bytes(given)


def test_nothing_is_learned_twice(stage: Stage) -> None:
    for _ in range(2):
        stage.learner.take(event(stage, "file read", b"/etc/passwd"))

    assert ["file read /etc/passwd"] == stage.lines()
    assert [SHELL] == stage.changed
    assert (2, 1, 1) == (stage.learner.tally.events, stage.learner.tally.learned, stage.learner.tally.known)
    assert [("learning", "file read /etc/passwd", False)] == stage.records()


def test_what_was_refused_is_recorded_as_it_was(stage: Stage) -> None:
    stage.learner.take(event(stage, "file write", b"/etc/passwd", mode=3))

    assert [] == stage.lines()
    assert [("enforcing", "file write /etc/passwd", False)] == stage.records()
    assert 1 == stage.learner.keeper.statistics.enforcing.number


def test_what_was_granted_and_is_to_be_logged_is(stage: Stage) -> None:
    stage.learner.take(event(stage, "file read", b"/x", mode=3, granted=1))

    assert [("enforcing", "file read /x", True)] == stage.records()


def test_what_learning_mode_has_sent_too_late_isnt_learned(stage: Stage) -> None:
    stage.domain.profile = 3
    stage.learner.take(event(stage, "file read", b"/etc/passwd"))

    assert [] == stage.lines()
    assert 1 == stage.learner.tally.overtaken


def test_a_domain_that_the_kernel_made_is_made(stage: Stage) -> None:
    made = layout.DOMAINS_BY_KERNEL + 3
    word = stage.learner.domains._names.word("/bin/ls")
    record = layout.Domain(stage.number, 1, word, 1, layout.DOMAIN_EXISTS, stage.number)
    stage.maps.tables["domains"].contents[made.to_bytes(4, "little")] = bytes(record)
    stage.domain.groups.add(7)
    stage.learner.take(bytes(layout.Event(kind=layout.EVENT_DOMAIN, domain=made, other=stage.number)))
    stage.learner.take(bytes(layout.Event(kind=layout.EVENT_DOMAIN, domain=made, other=stage.number)))

    created = stage.learner.policy.domains[f"{SHELL} /bin/ls"]
    assert (1, {7}) == (created.profile, created.groups)
    assert [created.name] == stage.changed
    assert {"use_profile 1", "use_group 7"} <= {acl for _, acl, _ in stage.records()}


def test_a_failed_transition_is_told_once(stage: Stage) -> None:
    for _ in range(2):
        stage.learner.take(bytes(layout.Event(kind=layout.EVENT_FAILED, domain=stage.number)))

    assert stage.domain.transition_failed
    assert 1 == len(stage.records())


def test_strays_are_counted_and_our_own_are_not(stage: Stage) -> None:
    stage.learner.take(b"short")
    stage.learner.take(raw("file read", b"/x", other=0))
    stage.learner.ignored = {stage.number}
    stage.learner.take(event(stage, "file read", b"/etc/passwd"))

    assert 1 <= stage.learner.tally.stray <= 2
    assert [] == stage.lines()


def test_what_has_no_name_is_told_and_not_learned(stage: Stage) -> None:
    given = bytearray(event(stage, "file mount"))
    layout.Event.from_buffer(given).kind = layout.EVENT_UNNAMEABLE
    stage.learner.take(bytes(given))

    assert [] == stage.lines()
    assert [("learning", "unnameable file mount", False)] == stage.records()
    assert (0, 1) == (stage.learner.tally.stray, stage.learner.tally.unnameable)


def test_the_quota_ends_learning_and_is_published(stage: Stage) -> None:
    stage.learner.policy.namespaces["<kernel>"].profiles[1].max_learning_entry = 1
    for name in (b"/1", b"/2", b"/3"):
        stage.learner.take(event(stage, "file read", name))

    assert ["file read /1"] == stage.lines()
    assert stage.domain.quota_exceeded
    assert 1 == stage.learner.tally.learned
    assert [SHELL, SHELL] == stage.changed


def test_what_an_earlier_starts_own_processes_did_is_no_policys(stage: Stage) -> None:
    trial = stage.learner.domains.domain("<sekisho> /1453")
    stage.learner.domains.describe(trial, layout.DOMAIN_EXISTS)
    given = bytearray(event(stage, "file read", b"/usr/bin/python3", mode=3))
    layout.Event.from_buffer(given).domain = trial
    stage.learner.take(bytes(given))

    assert not [name for name in stage.learner.policy.domains if name.startswith("<sekisho>")]
    assert list(stage.learner.policy.namespaces) == ["<kernel>"]
    assert stage.learner.tally.stray
