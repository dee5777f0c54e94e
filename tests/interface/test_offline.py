from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.errors import UserError
from sekisho.interface.offline import Offline
from sekisho.policy.parser import parse_domain_policy
from sekisho.store.directory import PolicyDirectory


@pytest.fixture
def directory(policy_directory: Path) -> Path:
    PolicyDirectory(policy_directory).create()
    return policy_directory


def test_nobody_is_held_to_it(directory: Path) -> None:
    authority = Offline(directory, print)

    assert not authority.active
    assert authority.owner == os.getuid()
    assert (authority.questions.pending(), len(authority.audit), authority.audit.take()) == ([], 0, None)
    assert (authority.questions.memory, authority.audit.memory, list(authority.processes())) == (0, 0, [])
    with pytest.raises(PermissionError):
        authority.move(os.getpid(), "<kernel>")


def test_every_process_runs_outside(directory: Path) -> None:
    authority = Offline(directory, print)

    assert authority.domain_of(os.getpid()) is authority.policy.domains["<kernel>"]
    assert authority.is_outside(os.getpid())
    assert authority.executable_of(os.getpid()) == os.path.realpath("/proc/self/exe")
    for nobody in (0, -1, 2**31):
        assert (authority.domain_of(nobody), authority.executable_of(nobody)) == (None, None)
        assert not authority.is_outside(nobody)


def test_saving_brings_both_sides_together(directory: Path) -> None:
    ours, theirs = Offline(directory, print), Offline(directory, print)
    for authority, name in ((ours, "ours"), (theirs, "theirs")):
        parse_domain_policy(f"<kernel> /{name}\n", authority.policy)
        authority.changed()
    assert ours.is_changed
    assert ours.save() and theirs.save() and ours.save()

    assert not ours.is_changed
    assert set(ours.policy.domains) == set(theirs.policy.domains) == {"<kernel>", "<kernel> /ours", "<kernel> /theirs"}
    assert PolicyDirectory(directory).statistics().updates.number == 2


def test_what_can_not_be_saved_is_told_once_and_tried_again(directory: Path) -> None:
    said: list[str] = []
    authority = Offline(directory, said.append)
    path = directory / "domain_policy.conf"
    good = path.read_text()
    path.write_text(good + "nonsense\n")
    parse_domain_policy("<kernel> /new\n", authority.policy)
    authority.changed()

    assert not authority.save() and not authority.save()
    assert authority.is_changed
    assert len(said) == 1 and "domain_policy.conf:6:1" in said[0]
    path.write_text(good)
    assert authority.save()
    assert "<kernel> /new\n" in path.read_text()


def test_a_directory_with_errors_is_not_served(directory: Path) -> None:
    (directory / "profile.conf").write_text("nonsense\n")
    with pytest.raises(UserError, match=r"profile.conf:1:"):
        Offline(directory, print)
