from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from sekisho.errors import UserError
from sekisho.policy.edit import add_entry, delete_domain, delete_entry, ensure_domain
from sekisho.policy.model import Mode, Policy
from sekisho.policy.parser import parse_acl, parse_exception_policy, parse_manager, parse_profile
from sekisho.policy.printer import print_acl
from sekisho.policy.stat import Memory
from sekisho.store.directory import PolicyDirectory

LEARNER = """
import sys
from sekisho.policy.edit import add_entry, ensure_domain
from sekisho.policy.parser import parse_acl
from sekisho.store.directory import PolicyDirectory

directory = PolicyDirectory(sys.argv[1])
directory.create()
policy = directory.load()
for number in range(int(sys.argv[3])):
    domain = ensure_domain(policy, f"<kernel> /bin/{sys.argv[2]}")
    domain.profile = 1
    add_entry(domain, parse_acl(f"file read /{sys.argv[2]}/{number}"))
    add_entry(ensure_domain(policy, "<kernel>"), parse_acl(f"file {sys.argv[4]} /shared/{number}"))
    directory.save(policy)
    print(number, flush=True)
"""


@pytest.fixture
def directory(policy_directory: Path) -> PolicyDirectory:
    directory = PolicyDirectory(policy_directory)
    directory.create()
    return directory


def teach(policy: Policy, domain: str, *lines: str) -> None:
    for line in lines:
        add_entry(ensure_domain(policy, domain), parse_acl(line))


def lines(directory: PolicyDirectory) -> list[str]:
    return (directory.path / "domain_policy.conf").read_text().splitlines()


def learner(directory: PolicyDirectory, name: str, count: int, operation: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LEARNER, str(directory.path), name, str(count), operation]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_new_directory_has_everything_and_four_profiles(directory: PolicyDirectory) -> None:
    policy = directory.load()

    assert directory.errors() == []
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert {"domain_policy.conf", "exception_policy.conf", "profile.conf", "manager.conf", "stat.conf", "rewrite.conf",
            ".lock"} == set(os.listdir(directory.path))  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in directory.path.iterdir()} == {0o600}
    assert list(policy.domains) == ["<kernel>"]
    profiles = policy.namespaces["<kernel>"].profiles
    assert [0, 1, 2, 3] == sorted(profiles)
    for number, profile in profiles.items():
        assert (Mode(number), False, True) == (
            profile.configs[""].mode, profile.configs[""].grant_log, profile.configs[""].reject_log,
        )  # fmt: skip
        assert (1024, 65536) == (profile.max_audit_log, profile.max_learning_entry)


def test_new_files_are_canonical(directory: PolicyDirectory) -> None:
    assert directory.format() == []


def test_creating_again_changes_nothing(directory: PolicyDirectory) -> None:
    (directory.path / "rewrite.conf").write_text("# mine\n")
    before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in directory.path.iterdir()}

    assert not directory.create()
    assert before == {path.name: (path.stat().st_ino, path.read_bytes()) for path in directory.path.iterdir()}


def test_creating_that_was_cut_short_is_finished(directory: PolicyDirectory) -> None:
    (directory.path / "domain_policy.conf").unlink()
    (directory.path / "rewrite.conf").unlink()
    (directory.path / "profile.conf").write_text(
        (directory.path / "profile.conf").read_text() + "9-CONFIG={ mode=learning }\n"
    )

    assert directory.create()
    assert 9 in directory.load().namespaces["<kernel>"].profiles


def test_what_is_saved_is_loaded(directory: PolicyDirectory) -> None:
    policy = directory.load()
    teach(policy, "<kernel> /bin/x", "file read /a", "file write /a", r"file create /tmp/\* 0644")
    policy.domains["<kernel> /bin/x"].profile = 1
    directory.save(policy)

    assert [
        "<kernel> /bin/x", "use_profile 1", "", "file read/write /a", r"file create /tmp/\* 0644", ""
    ] == lines(directory)[-6:]  # fmt: skip
    again = PolicyDirectory(directory.path).load()
    assert again.domains["<kernel> /bin/x"].entries == policy.domains["<kernel> /bin/x"].entries


def test_saving_nothing_new_writes_nothing(directory: PolicyDirectory) -> None:
    policy = directory.load()
    before = (directory.path / "domain_policy.conf").stat()
    directory.save(policy)

    after = (directory.path / "domain_policy.conf").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_each_save_adds_to_the_last_and_to_what_others_wrote(directory: PolicyDirectory) -> None:
    policy = directory.load()
    teach(policy, "<kernel> /bin/x", "file read /one")
    directory.save(policy)
    teach(policy, "<kernel> /bin/x", "file read /two")
    directory.save(policy)
    other = PolicyDirectory(directory.path)
    theirs = other.load()
    teach(theirs, "<kernel> /bin/x", "file write /one")
    teach(theirs, "<kernel> /bin/y", "file read /theirs")
    other.save(theirs)
    teach(policy, "<kernel> /bin/x", "file read /three")
    directory.save(policy)

    assert {"file read/write /one", "file read /two", "file read /three", "file read /theirs"} <= set(lines(directory))


def test_hand_made_changes_made_meanwhile_stay(directory: PolicyDirectory) -> None:
    policy = directory.load()
    teach(policy, "<kernel> /bin/x", "file read /one", "file read /two")
    directory.save(policy)
    path = directory.path / "domain_policy.conf"
    path.write_text(path.read_text().replace("file read /one\n", "file read /mine\n"))
    teach(policy, "<kernel> /bin/x", "file read /three")
    directory.save(policy)

    assert ["file read /mine", "file read /two", "file read /three"] == [
        line for line in lines(directory) if line.startswith("file")
    ]


def test_live_edits_reach_the_disk_and_leave_alone_what_others_wrote(directory: PolicyDirectory) -> None:
    policy = directory.load()
    teach(policy, "<kernel> /bin/x", "file read /one", "file read /two")
    ensure_domain(policy, "<kernel> /bin/y")
    parse_exception_policy("path_group G /a\n", policy)
    directory.save(policy)
    other = PolicyDirectory(directory.path)
    theirs = other.load()
    teach(theirs, "<kernel> /bin/x", "file read /theirs")
    parse_exception_policy("path_group G /theirs\n", theirs)
    other.save(theirs)

    delete_entry(policy.domains["<kernel> /bin/x"], parse_acl("file read /one"))
    delete_domain(policy, "<kernel> /bin/y")
    parse_exception_policy("delete path_group G /a\n", policy)
    parse_profile("3-CONFIG::file={ mode=permissive }\n7-COMMENT=new\n", policy)
    parse_manager("/bin/manager\n", policy)
    directory.save(policy)

    again = PolicyDirectory(directory.path).load()
    assert ["file read /two", "file read /theirs"] == [line for line in lines(directory) if line.startswith("file")]
    assert "<kernel> /bin/y" not in again.domains
    assert "path_group G /theirs\n" == (directory.path / "exception_policy.conf").read_text()
    profiles = again.namespaces["<kernel>"].profiles
    assert (profiles[3].configs["file"].mode, profiles[7].comment) == (Mode.PERMISSIVE, "new")
    assert again.managers[-1] == "/bin/manager"


def test_only_what_changed_is_written(directory: PolicyDirectory) -> None:
    policy = directory.load()
    before = {path.name: path.stat().st_ino for path in directory.path.iterdir()}
    parse_manager("/bin/manager\n", policy)
    directory.save(policy)

    after = {path.name: path.stat().st_ino for path in directory.path.iterdir()}
    assert {"manager.conf"} == {name for name in before if before[name] != after[name]}


def test_syncing_takes_in_what_others_saved(directory: PolicyDirectory) -> None:
    policy, other = directory.load(), PolicyDirectory(directory.path)
    theirs = other.load()
    domain = ensure_domain(policy, "<kernel> /bin/x")
    teach(policy, "<kernel> /bin/x", "file read /one")
    teach(theirs, "<kernel> /bin/x", "file read /theirs")
    other.save(theirs)

    assert directory.sync(policy)
    assert policy.domains["<kernel> /bin/x"] is domain
    assert {"file read /one", "file read /theirs"} == set(map(print_acl, domain.entries))
    assert not directory.sync(policy)

    other.sync(theirs)
    delete_entry(theirs.domains["<kernel> /bin/x"], parse_acl("file read /one"))
    other.sync(theirs)
    assert directory.sync(policy)
    assert ["file read /theirs"] == list(map(print_acl, domain.entries))


def test_a_quota_that_was_set_is_kept_by_those_who_set_none(directory: PolicyDirectory) -> None:
    other = PolicyDirectory(directory.path)
    ours, theirs = directory.statistics(), other.statistics()
    directory.save(directory.load(), replace(ours, audit_memory=Memory(0, 4096)))
    other.save(other.load(), theirs.updated(1))

    assert 4096 == PolicyDirectory(directory.path).statistics().audit_memory.quota


def test_an_error_made_by_hand_meanwhile_stops_saving_and_loses_nothing(directory: PolicyDirectory) -> None:
    policy = directory.load()
    path = directory.path / "domain_policy.conf"
    good = path.read_text()
    path.write_text(good + "nonsense\n")
    teach(policy, "<kernel> /bin/x", "file read /one")
    with pytest.raises(UserError, match=r"domain_policy.conf:\d+:1: "):
        directory.save(policy)
    assert path.read_text() == good + "nonsense\n"

    path.write_text(good)
    directory.save(policy)
    assert "file read /one" in lines(directory)


def test_on_a_full_disk_the_old_policy_stays_and_the_next_save_has_it_all(directory: PolicyDirectory) -> None:
    policy = directory.load()
    teach(policy, "<kernel> /bin/x", "file read /before")
    directory.save(policy)
    before = lines(directory)
    teach(policy, "<kernel> /bin/x", *[f"file read /{number}" for number in range(1000)])
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(UserError, match=r"cannot write .*domain_policy\.conf: File too large; nothing was changed"):
            directory.save(policy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert before == lines(directory)

    directory.save(policy)
    assert {f"file read /{number}" for number in range(1000)} < set(lines(directory))


def test_two_learners_at_once_lose_nothing(directory: PolicyDirectory) -> None:
    learners = [learner(directory, "a", 25, "read"), learner(directory, "b", 25, "write")]
    for each in learners:
        each.communicate(timeout=120)

    assert [0, 0] == [each.returncode for each in learners]
    expected = {f"file read /{name}/{number}" for name in "ab" for number in range(25)}
    expected |= {f"file read/write /shared/{number}" for number in range(25)}
    assert expected <= set(lines(directory))


def test_a_learner_that_is_killed_loses_nothing_it_had_saved(directory: PolicyDirectory) -> None:
    for turn in range(5):
        process = learner(directory, f"k{turn}", 1000, "read")
        assert process.stdout is not None
        saved = [process.stdout.readline().strip() for _ in range(3 + turn)][-1]
        process.kill()
        saved = ([saved, *process.stdout.read().split()])[-1]
        process.wait(60)
        process.stdout.close()

        assert {f"file read /k{turn}/{number}" for number in range(int(saved) + 1)} <= set(lines(directory))
        assert directory.errors() == []


def test_an_unwritable_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UserError, match="cannot make policy directory .*; choose another directory with -P"):
        PolicyDirectory(tmp_path / "file" / "policy").create()


def as_nobody(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What ``script`` says when it runs as an ordinary user: as nobody if this is root."""
    become = "import os; os.geteuid() or (os.setgroups([]), os.setresgid(*[65534] * 3), os.setresuid(*[65534] * 3))\n"
    imports = "import sys\nfrom sekisho.store.directory import PolicyDirectory\n"
    return subprocess.run(
        [sys.executable, "-c", imports + become + script, *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "audit.jsonl"])
def test_a_directory_that_can_not_be_written_is_told_before_anything_runs(name: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        directory = PolicyDirectory(f"{place}/policy")
        directory.create()
        directory.audit_log.touch()
        before = sorted(os.listdir(directory.path))
        for path in (Path(place), directory.path, *directory.path.iterdir()):
            path.chmod(0o777 if path.is_dir() else 0o666)
        (directory.path / name).chmod(0o555 if not name else 0o444)

        result = as_nobody("PolicyDirectory(sys.argv[1]).check_writable()", directory.path)

        told = f"cannot write {directory.path / name}; make it writable, or choose another directory with -P"
        assert result.stderr.splitlines()[-1].endswith(told)
        assert before == sorted(os.listdir(directory.path))
        directory.path.chmod(0o777)


def test_format_keeps_the_meaning(directory: PolicyDirectory) -> None:
    path = directory.path / "domain_policy.conf"
    path.write_text("<kernel>\nuse_profile 0\n<kernel> /bin/x\nuse_profile 1\nfile write /a\nfile read /a\n")
    before = directory.load()

    assert ["domain_policy.conf"] == directory.format()
    assert [] == directory.format()
    after = directory.load()
    assert {name: domain.entries for name, domain in before.domains.items()} == {
        name: domain.entries for name, domain in after.domains.items()
    }


def test_syncing_takes_in_what_saving_left_as_it_was(directory: PolicyDirectory) -> None:
    policy = directory.load()
    add_entry(ensure_domain(policy, "<kernel> /program"), parse_acl("file read /one"))
    directory.save(policy)
    path = directory.path / "domain_policy.conf"
    path.write_text(path.read_text().replace("/program\nuse_profile 0", "/program\nuse_profile 3"))
    add_entry(policy.domains["<kernel> /program"], parse_acl("file read /two"))
    directory.save(policy)
    assert 0 == policy.domains["<kernel> /program"].profile

    assert directory.sync(policy)

    assert 3 == policy.domains["<kernel> /program"].profile
    assert not directory.sync(policy)
