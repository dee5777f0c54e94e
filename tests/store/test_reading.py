from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sekisho.errors import PolicyError, UserError
from sekisho.policy.model import Mode, Policy
from sekisho.policy.printer import print_acl
from sekisho.store.directory import PolicyDirectory


@pytest.fixture
def directory(policy_directory: Path) -> PolicyDirectory:
    directory = PolicyDirectory(policy_directory)
    directory.create()
    return directory


@pytest.mark.parametrize("name", ["profile.conf", "exception_policy.conf", "domain_policy.conf"])
def test_a_missing_file_is_an_error(directory: PolicyDirectory, name: str) -> None:
    (directory.path / name).unlink()

    with pytest.raises(UserError, match=f"{name} is missing; the directory is half-written"):
        directory.load()
    assert [f"{directory.path / name} is missing"] == [error.message for error in directory.errors()][:1]


@pytest.mark.parametrize("name", ["profile.conf", "domain_policy.conf"])
def test_an_empty_file_is_an_error(directory: PolicyDirectory, name: str) -> None:
    (directory.path / name).write_text("")

    with pytest.raises(UserError, match=f"{name} is empty; the directory is half-written"):
        directory.load()


@pytest.mark.parametrize("name", ["manager.conf", "stat.conf", "rewrite.conf"])
def test_what_tomoyo_does_not_keep_there_may_be_missing(directory: PolicyDirectory, name: str) -> None:
    (directory.path / name).unlink()

    directory.load()
    assert directory.errors() == []
    assert directory.rewrite_rules().name("/tmp/tmp.AbCdEfGhIj") == r"/tmp/tmp.\?\?\?\?\?\?\?\?\?\?"


def test_every_error_of_every_file_is_found(directory: PolicyDirectory) -> None:
    domains = directory.path / "domain_policy.conf"
    domains.write_text(domains.read_text() + "file nonsense /x\nfile read\n")
    (directory.path / "exception_policy.conf").write_text("nonsense\n")
    (directory.path / "rewrite.conf").write_text("nonsense\n")

    places = [(Path(error.file).name, error.line) for error in directory.errors() if isinstance(error, PolicyError)]

    assert [
        ("exception_policy.conf", 1),
        ("domain_policy.conf", 6),
        ("domain_policy.conf", 7),
        ("rewrite.conf", 1),
    ] == places
    with pytest.raises(PolicyError, match="exception_policy.conf:1:1: "):
        directory.load()


def test_a_domain_without_a_profile_is_an_error(directory: PolicyDirectory) -> None:
    domains = directory.path / "domain_policy.conf"
    domains.write_text(domains.read_text() + "<kernel> /bin/x\nuse_profile 9\n\n")

    with pytest.raises(UserError, match="'<kernel> /bin/x' has profile 9, which .*profile.conf doesn't define"):
        directory.load()
    assert len(directory.errors()) == 1


def test_a_policy_of_tomoyo_is_read_as_it_is(directory: PolicyDirectory) -> None:
    shutil.rmtree(directory.path)
    directory.path.mkdir(0o700)
    texts = {
        "profile.conf": "PROFILE_VERSION=20150505\n3-COMMENT=Strict\n"
        "3-PREFERENCE={ max_audit_log=1024 max_learning_entry=2048 }\n"
        "3-CONFIG={ mode=enforcing grant_log=no reject_log=yes }\n",
        "exception_policy.conf": "initialize_domain /usr/sbin/sshd from any\npath_group HOME /home/\\*/.profile\n",
        "domain_policy.conf": "<kernel> /usr/sbin/sshd\nuse_profile 3\nuse_group 0\n\nfile read/write /dev/null\n\n",
        "manager.conf": "/usr/sbin/tomoyo-loadpolicy\n",
    }
    for name, text in texts.items():
        (directory.path / name).write_text(text)
        (directory.path / name).chmod(0o600)
    (directory.path / "domain_policy.conf").write_text("<kernel>\nuse_profile 3\n\n" + texts["domain_policy.conf"])

    policy = directory.load()

    assert list(policy.domains) == ["<kernel>", "<kernel> /usr/sbin/sshd"]
    assert len(policy.domains["<kernel> /usr/sbin/sshd"].entries) == 1


def test_rules_are_read_again_once_they_are_others(tmp_path: Path) -> None:
    directory = PolicyDirectory(tmp_path / "policy")
    directory.create()
    first = directory.rewrite_rules()
    again = directory.rewrite_rules()
    (tmp_path / "policy" / "rewrite.conf").write_text("")

    assert again is first
    assert directory.rewrite_rules() is not first


POLICY = """<kernel>
use_profile 0
use_group 0


<kernel> /bin/first
use_profile 3
use_group 0

file read /etc/passwd
file read/write /home/\\*/notes

<kernel> /bin/second
use_profile 3
use_group 1

network inet stream connect 127.0.0.1 80-8080
"""
PROFILES = """PROFILE_VERSION=20150505
0-COMMENT=disabled
0-PREFERENCE={ max_audit_log=1024 max_learning_entry=2048 }
0-CONFIG={ mode=disabled grant_log=no reject_log=yes }
3-COMMENT=enforcing
3-PREFERENCE={ max_audit_log=1024 max_learning_entry=2048 }
3-CONFIG={ mode=enforcing grant_log=no reject_log=yes }
3-CONFIG::network={ mode=enforcing grant_log=no reject_log=yes }
"""


def grants(policy: Policy) -> set[tuple[str, str]]:
    return {(domain.name, print_acl(entry)) for domain in policy.domains.values() for entry in domain.entries}


@pytest.mark.parametrize(("name", "text"), [("domain_policy.conf", POLICY), ("profile.conf", PROFILES)])
def test_a_file_cut_anywhere_grants_nothing_more(directory: PolicyDirectory, name: str, text: str) -> None:
    """It is told, with what to do; or what is left holds everybody whom it names as the whole did."""
    (directory.path / "domain_policy.conf").write_text(POLICY)
    (directory.path / "profile.conf").write_text(PROFILES)
    allowed, told = grants(directory.load()), 0
    for length in range(len(text)):
        (directory.path / name).write_text(text[:length])
        try:
            policy = directory.load()
        except UserError as error:
            assert name in str(error) or "profile" in str(error)
            assert error.hint or isinstance(error, PolicyError)
            told += 1
            continue
        assert grants(policy) <= allowed
        held = [domain for domain in policy.domains.values() if domain.name != "<kernel>"]
        assert all(policy.config(domain, "file::open").mode is Mode.ENFORCING for domain in held)
    assert told > len(text) * 0.9


@pytest.mark.parametrize("name", ["exception_policy.conf", "manager.conf", "stat.conf", "rewrite.conf"])
def test_half_a_line_is_told(directory: PolicyDirectory, name: str) -> None:
    (directory.path / name).write_text("initialize_domain /usr/sbin/ss")

    errors = "".join(map(str, directory.errors()))

    assert f"{name} ends in the middle of a line ('initialize_domain /usr/sbin/ss'): it has been cut short" in errors
    assert "put the whole file back" in errors
