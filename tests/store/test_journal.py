from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.policy.edit import add_entry, ensure_domain
from sekisho.policy.model import Domain, Policy
from sekisho.policy.parser import parse_acl
from sekisho.policy.printer import print_acl
from sekisho.store.directory import PolicyDirectory
from sekisho.store.journal import Journal, take_in

LEARNER = """
import sys
from pathlib import Path
from sekisho.policy.model import Domain
from sekisho.policy.parser import parse_acl
from sekisho.store.journal import Journal

journal = Journal(Path(sys.argv[1]))
domains = [Domain(f"<kernel> /bin/{name}", 1) for name in "ab"]
for number in range(10**9):
    journal.add(domains[number // 3 % 2], parse_acl(f"file read /{number}"))
    print(number, flush=True)
"""


@pytest.fixture
def directory(policy_directory: Path) -> PolicyDirectory:
    directory = PolicyDirectory(policy_directory)
    directory.create()
    return directory


def killed_learner(directory: PolicyDirectory, count: int) -> int:
    """A learner is killed after it has learned ``count`` entries or more; how many it had."""
    process = subprocess.Popen([sys.executable, "-c", LEARNER, directory.path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(count):
        process.stdout.readline()
    process.kill()
    told = count + len(process.stdout.read().split("\n")) - 1
    process.wait(60)
    process.stdout.close()
    return told


def entries(policy: Policy) -> dict[str, list[str]]:
    return {domain.name: [print_acl(entry) for entry in domain.entries] for domain in policy.domains.values()}


def journals(directory: PolicyDirectory) -> list[str]:
    return [name for name in os.listdir(directory.path) if name.endswith((".journal", ".new"))]


def taken(directory: PolicyDirectory, policy: Policy) -> list[str]:
    fd = os.open(directory.path, os.O_RDONLY)
    try:
        return take_in(fd, directory.path, policy)
    finally:
        os.close(fd)


def test_what_a_killed_learner_had_learned_is_loaded_and_saved(directory: PolicyDirectory) -> None:
    told = killed_learner(directory, 100)
    assert len(journals(directory)) == 1

    policy = directory.load()
    learned = {line for lines in entries(policy).values() for line in lines}
    assert {f"file read /{number}" for number in range(told)} <= learned
    assert policy.domains["<kernel> /bin/a"].profile == 1
    assert "file read /3" in entries(policy)["<kernel> /bin/b"]

    directory.save(policy)
    assert journals(directory) == []
    assert entries(policy) == entries(PolicyDirectory(directory.path).load())


def test_a_journal_in_use_is_left_alone(directory: PolicyDirectory) -> None:
    journal = Journal(directory.path)
    domain = Domain("<kernel> /bin/x", 1)
    journal.add(domain, parse_acl("file read /x"))

    policy = directory.load()
    assert "<kernel> /bin/x" not in policy.domains
    add_entry(ensure_domain(policy, "<kernel>"), parse_acl("file read /y"))
    directory.save(policy)
    assert [journal.path.name] == journals(directory)

    journal.close()
    assert journals(directory) == []


def test_two_runs_never_share_a_journal(directory: PolicyDirectory) -> None:
    assert Journal(directory.path).path != Journal(directory.path).path


def test_after_saving_only_what_came_since_is_kept(directory: PolicyDirectory) -> None:
    journal = Journal(directory.path)
    domain = Domain("<kernel> /bin/x", 1)
    journal.add(domain, parse_acl("file read /before"))
    journal.saved()
    assert journal.path.read_text() == ""
    journal.add(domain, parse_acl("file read /after"))

    assert "\n<kernel> /bin/x\nuse_profile 1\n\nfile read /after\n" == journal.path.read_text()
    journal.close()


def test_on_a_full_disk_no_half_line_stays(directory: PolicyDirectory) -> None:
    journal = Journal(directory.path)
    domain = Domain("<kernel> /bin/x", 1)
    journal.add(domain, parse_acl("file read /one"))
    whole = journal.path.read_text()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.add(domain, parse_acl("file read /" + "x" * 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert whole == journal.path.read_text()

    journal.add(domain, parse_acl("file read /two"))
    assert whole + "file read /two\n" == journal.path.read_text()
    journal.close()


def test_a_spoiled_line_takes_no_other_with_it(directory: PolicyDirectory) -> None:
    (directory.path / "learned-1-x.journal").write_bytes(
        b"\n<kernel> /bin/a\nuse_profile 1\n\nfile read /1\nfile re\xff\0ad /2\nfile read /3\n"
        b"\n<kern\nuse_profile 1\n\nfile read /lost\n"
        b"\n<kernel> /bin/b\nuse_profile 1\n\nfile read /4\nfile read /cut-sho"
    )
    policy = Policy()

    assert ["learned-1-x.journal"] == taken(directory, policy)
    assert {
        "<kernel>": [],
        "<kernel> /bin/a": ["file read /1", "file read /3"],
        "<kernel> /bin/b": ["file read /4"],
    } == entries(policy)
