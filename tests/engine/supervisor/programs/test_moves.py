from __future__ import annotations

import errno
import os

import pytest
from tests.engine.supervisor.stage import DOMAIN, Stage

from sekisho.policy.model import Profile

ELSEWHERE = f"{DOMAIN} /inner"


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr("sekisho.engine.supervisor.programs.moves.os.kill", lambda pid, signal: found.append(signal))
    return found


def opened(on: Stage) -> object:
    return on.handle("openat", -100, "/etc/hostname", 0)


def test_a_condition_that_holds_moves_on_the_next_access(enforcing: Stage) -> None:
    enforcing.allow(f"task auto_domain_transition {ELSEWHERE} task.uid={os.getuid()}")
    assert -1 == opened(enforcing)
    assert ELSEWHERE == enforcing.process.domain.name
    assert ["file read /etc/hostname"] == enforcing.recorded
    assert ["use_profile 3"] == enforcing.notes


def test_one_that_doesnt_hold_moves_nobody(enforcing: Stage) -> None:
    enforcing.allow(f"task auto_domain_transition {ELSEWHERE} task.uid!={os.getuid()}")
    opened(enforcing)
    assert DOMAIN == enforcing.process.domain.name


def test_the_call_is_judged_where_it_has_moved_to(enforcing: Stage) -> None:
    enforcing.allow("file read /etc/hostname", f"task auto_domain_transition {ELSEWHERE} task.uid={os.getuid()}")
    assert -1 == opened(enforcing)


def test_what_was_remembered_doesnt_go_before_a_move(enforcing: Stage) -> None:
    enforcing.allow("file read /etc/hostname")
    opened(enforcing)
    opened(enforcing)
    enforcing.allow(f"task auto_domain_transition {ELSEWHERE} task.uid={os.getuid()}")
    assert -1 == opened(enforcing)


def test_an_entry_moves_whom_it_grants_something(enforcing: Stage) -> None:
    enforcing.allow('file read /etc/hostname auto_domain_transition="/inner"')
    assert ("fd", "/etc/hostname", False) == opened(enforcing)
    assert ELSEWHERE == enforcing.process.domain.name
    assert -1 == opened(enforcing)


def test_it_does_so_each_time(enforcing: Stage) -> None:
    enforcing.allow(
        'file read /etc/hostname auto_domain_transition="/inner"',
        'file getattr /etc/hostname auto_domain_transition="/inner"',
    )
    for _ in range(3):
        enforcing.process.domain = enforcing.domain
        assert ("fd", "/etc/hostname", False) == opened(enforcing)
        assert ELSEWHERE == enforcing.process.domain.name


def test_by_an_entry_to_a_named_domain(enforcing: Stage) -> None:
    enforcing.allow('file read /etc/hostname auto_domain_transition="<kernel> /other"')
    opened(enforcing)
    assert "<kernel> /other" == enforcing.process.domain.name


def test_an_entry_that_doesnt_grant_moves_nobody(enforcing: Stage) -> None:
    enforcing.allow('file read /etc/passwd auto_domain_transition="/inner"')
    opened(enforcing)
    assert DOMAIN == enforcing.process.domain.name


@pytest.mark.parametrize(
    "line",
    [
        'file read /etc/hostname auto_domain_transition="<other> /x"',
        "task auto_domain_transition <other> /x task.pid!=0",
    ],
)
def test_where_nobody_can_go_the_program_is_killed(enforcing: Stage, killed: list[int], line: str) -> None:
    enforcing.allow(line)
    assert opened(enforcing) is None
    assert [9] == killed
    assert "<other> /x" in enforcing.warnings[0]


def test_by_its_own_word(enforcing: Stage) -> None:
    enforcing.allow(f"task manual_domain_transition {ELSEWHERE}")
    enforcing.supervisor.moves.manual(os.getpid(), ELSEWHERE)
    assert ELSEWHERE == enforcing.process.domain.name
    assert ["use_profile 3"] == enforcing.notes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("<kernel> /never", errno.EPERM),
        ("no domain", errno.EINVAL),
        ("", errno.ENOMEM),
        ("<kernel> /undefined", errno.ENOENT),
    ],
)
def test_its_own_word_isnt_enough(enforcing: Stage, name: str, code: int) -> None:
    enforcing.allow("task manual_domain_transition <kernel> /undefined")
    enforcing.policy.domains.setdefault("<kernel> /undefined", type(enforcing.domain)("<kernel> /undefined", profile=9))
    with pytest.raises(OSError) as caught:
        enforcing.supervisor.moves.manual(os.getpid(), name)
    assert code == caught.value.errno
    assert DOMAIN == enforcing.process.domain.name


def test_children_that_are_owed_stay_where_they_were_born(enforcing: Stage) -> None:
    enforcing.allow(f"task manual_domain_transition {ELSEWHERE}")
    enforcing.process.credits = 1
    enforcing.process.shares_files = True
    enforcing.supervisor.moves.manual(os.getpid(), ELSEWHERE)
    assert {DOMAIN} == enforcing.process.former


def test_a_profile_is_taken_along(enforcing: Stage) -> None:
    enforcing.policy.namespaces["<kernel>"].profiles[4] = Profile()
    enforcing.domain.profile = 4
    enforcing.domain.chosen = True
    enforcing.allow(f"task manual_domain_transition {ELSEWHERE}")
    enforcing.domain.profile = 4
    enforcing.supervisor.moves.manual(os.getpid(), ELSEWHERE)
    assert (4, True) == (enforcing.process.domain.profile, enforcing.process.domain.chosen)


def test_whom_signals_are_left_for_moves_only_where_these_may_be_sent(enforcing: Stage, killed: list[int]) -> None:
    """By its own word it is refused; where it must move it is killed."""
    enforcing.allow("task manual_domain_transition <kernel> /other")
    enforcing.supervisor.ownership.owns(enforcing.process, enforcing.domain, [29])
    with pytest.raises(PermissionError):
        enforcing.supervisor.moves.manual(os.getpid(), "<kernel> /other")
    assert [] == killed

    enforcing.allow('file read /etc/hostname auto_domain_transition="<kernel> /other"')
    assert None is opened(enforcing)
    assert (DOMAIN, 1) == (enforcing.process.domain.name, len(killed))
    enforcing.allow("ipc signal 29 <kernel> /other")
    opened(enforcing)
    assert "<kernel> /other" == enforcing.process.domain.name


def test_whom_a_signal_under_way_reaches_moves_when_it_is_over(
    enforcing: Stage, killed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    enforcing.allow("task manual_domain_transition <kernel> /other")
    waits = [True]
    monkeypatch.setattr(enforcing.supervisor.underway, "_reached", lambda process: waits[0])
    monkeypatch.setattr(enforcing.supervisor.underway, "calls", {1: None})
    monkeypatch.setattr(enforcing.supervisor.underway, "over", lambda tid: None)
    enforcing.allow('file read /etc/hostname auto_domain_transition="<kernel> /other"')
    with pytest.raises(BlockingIOError):
        enforcing.supervisor.moves.manual(os.getpid(), "<kernel> /other")

    assert None is opened(enforcing)
    assert (DOMAIN, []) == (enforcing.process.domain.name, killed)
    waits[0] = False
    enforcing.listener.answers.clear()
    enforcing.supervisor.underway._next = 0
    enforcing.supervisor.underway.look()
    assert "<kernel> /other" == enforcing.process.domain.name
