"""The journal: what a killed run learned is there for the next one."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from pathlib import Path

import pytest

from sekisho.policy.edit import add_entry, ensure_domain
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_acl
from sekisho.policy.printer import print_domain_policy
from sekisho.store.directory import PolicyDirectory
from sekisho.store.journal import Journal

CAT = "<kernel> /usr/bin/cat"


def learn(policy: Policy, journal: Journal, domain: str, text: str) -> None:
    target = ensure_domain(policy, domain)
    target.profile = 1
    entry = parse_acl(text)
    add_entry(target, entry)
    journal.add(target, entry)


def killed_after(path: Path, *lines: tuple[str, str], torn: bytes = b"") -> None:
    """A learner writes ``lines`` to its journal, then ``torn``, and is killed."""
    child = os.fork()
    if not child:
        journal, policy = Journal(path), Policy()
        for domain, text in lines:
            learn(policy, journal, domain, text)
        os.write(journal._fd, torn)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.fixture
def directory(tmp_path: Path) -> PolicyDirectory:
    made = PolicyDirectory(tmp_path / "policy")
    made.create()
    return made


def test_killed_run_is_taken_in_and_saved(directory: PolicyDirectory) -> None:
    killed_after(
        directory.path,
        (CAT, "file read /etc/hostname"),
        ("<kernel> /usr/bin/ls", "file read /etc/"),
        (CAT, "misc env HOME"),
    )

    policy = directory.load()

    text = print_domain_policy(policy)
    assert "file read /etc/hostname" in text and "misc env HOME" in text and "file read /etc/" in text
    assert policy.domains[CAT].profile == 1
    directory.save(policy)
    assert not list(directory.path.glob("*.journal"))
    assert print_domain_policy(PolicyDirectory(directory.path).load()) == text


def test_looking_alone_removes_nothing(directory: PolicyDirectory) -> None:
    killed_after(directory.path, (CAT, "misc env HOME"))

    directory.load()

    assert len(list(directory.path.glob("*.journal"))) == 1


def test_half_a_last_line_is_left_out(directory: PolicyDirectory) -> None:
    killed_after(directory.path, (CAT, "misc env HOME"), torn=b"file read /etc/pass")

    text = print_domain_policy(directory.load())

    assert "misc env HOME" in text
    assert "/etc/pass" not in text


def test_torn_middle_costs_its_own_domain_only(directory: PolicyDirectory) -> None:
    killed_after(
        directory.path,
        (CAT, "misc env HOME"),
        torn=b"file re\n\n<kernel> /usr/bin/ls\nuse_profile 1\n\nmisc env PATH\n",
    )

    policy = directory.load()

    assert "<kernel> /usr/bin/ls" in policy.domains


def test_journal_of_a_living_run_is_left_alone(directory: PolicyDirectory) -> None:
    journal, policy = Journal(directory.path), Policy()
    learn(policy, journal, CAT, "misc env HOME")

    other = PolicyDirectory(directory.path)

    assert CAT not in other.load().domains
    journal.close()


def test_journal_that_may_not_be_locked_is_left_alone(
    directory: PolicyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is for who isn't a manager where the whole system is held to this policy."""
    killed_after(directory.path, (CAT, "misc env HOME"))

    def refused(fd: int, operation: int) -> None:
        raise PermissionError(errno.EPERM, "flock")

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", refused)
        without = PolicyDirectory(directory.path).load()

    assert CAT not in without.domains
    assert CAT in PolicyDirectory(directory.path).load().domains


def test_saved_journal_is_empty_and_closed_one_gone(directory: PolicyDirectory) -> None:
    journal, policy = Journal(directory.path), Policy()
    learn(policy, journal, CAT, "misc env HOME")

    journal.saved()

    assert journal.path.stat().st_size == 0
    learn(policy, journal, CAT, "misc env PATH")
    assert CAT in journal.path.read_text()
    journal.close()
    assert not journal.path.exists()


def test_a_journal_cut_anywhere_brings_nothing_that_was_not_learned(directory: PolicyDirectory) -> None:
    killed_after(directory.path, (CAT, "misc env HOME"), ("<kernel> /usr/bin/ls", "file read /etc/hostname"))
    (journal,) = directory.path.glob("*.journal")
    whole = journal.read_bytes()

    for length in range(len(whole)):
        journal.write_bytes(whole[:length])
        policy = directory.load()
        for name, line in ((CAT, "misc env HOME"), ("<kernel> /usr/bin/ls", "file read /etc/hostname")):
            domain = policy.domains.get(name)
            assert domain is None or 1 == domain.profile
            assert domain is None or [parse_acl(line)] == domain.entries or [] == domain.entries


def test_a_journal_leaves_profiles_as_the_administrator_has_set_them(directory: PolicyDirectory) -> None:
    killed_after(directory.path, (CAT, "misc env HOME"))
    domains = directory.path / "domain_policy.conf"
    domains.write_text(domains.read_text() + f"{CAT}\nuse_profile 3\nuse_group 0\n\n")

    policy = directory.load()

    assert 3 == policy.domains[CAT].profile
    assert [parse_acl("misc env HOME")] == policy.domains[CAT].entries
