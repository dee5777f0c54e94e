from __future__ import annotations

import re

import pytest
from tests.interface.stage import Stage, read, write

from sekisho.policy.model import Mode


def test_what_is_shown() -> None:
    stage = Stage()
    stage.statistics = stage.statistics.updated(1_000_000_000).violated(Mode.LEARNING, 1_000_000_001)
    stage.audit.put("file read /a")
    stage.questions.ask(1, "file read /a", stage.kernel)
    write(stage.open("stat"), "Memory used by audit log: 16777216\n")

    text = read(stage.open("stat"))
    assert re.fullmatch(
        r"""Policy update:                                 1 \(Last: 2001/09/09 01:46:40\)
Policy violation in learning mode:             1 \(Last: 2001/09/09 01:46:41\)
Policy violation in permissive mode:           0
Policy violation in enforcing mode:            0
Memory used by policy:                 +[0-9]+
Memory used by audit log:                   1000 \(Quota:   16777216\)
Memory used by query message:                100
Total memory used:                     +[0-9]+
""",
        text,
    ), text


@pytest.mark.parametrize(
    ("line", "expected", "changes"),
    [
        ("Memory used by policy: 1", (1, 0, 0), 1),
        ("Memory used by audit log:   2 (Quota: 7)", (0, 2, 0), 1),
        ("Memory used by query message: 3", (0, 0, 3), 1),
        ("Memory used by query message: 9999999999", (0, 0, 2**32 - 1), 1),
        ("Memory used by anything: 3", (0, 0, 0), 0),
        ("Memory used by policy:", (0, 0, 0), 0),
        ("Memory used by policy: x", (0, 0, 0), 0),
        ("Policy update: 7", (0, 0, 0), 0),
    ],
)
def test_quotas(line: str, expected: tuple[int, int, int], changes: int) -> None:
    stage = Stage()
    write(stage.open("stat"), f"{line}\n")

    known = stage.statistics
    assert expected == (known.policy_memory.quota, known.audit_memory.quota, known.query_memory.quota)
    assert changes == stage.changes


def test_zero_takes_a_quota_away() -> None:
    stage = Stage()
    write(stage.open("stat"), "Memory used by policy: 1\nMemory used by policy: 0\n")

    assert stage.statistics.policy_memory.quota == 0
    assert "Quota" not in read(stage.open("stat"))


def test_what_domains_take_is_given_back_when_they_are_deleted() -> None:
    stage = Stage()
    before = read(stage.open("stat")).splitlines()[4]
    write(stage.open("domain_policy"), "<kernel> /a\nfile read /a\nuse_group 1\n")
    assert read(stage.open("stat")).splitlines()[4] != before
    write(stage.open("domain_policy"), "delete <kernel> /a\n")

    assert read(stage.open("stat")).splitlines()[4] == before
