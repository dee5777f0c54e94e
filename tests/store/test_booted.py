"""What the policy of a whole system begins with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.decide.support import request

from sekisho.decide.evaluate import decide
from sekisho.store.booted import ENGINE, EXECUTOR, SHUTDOWN, SYSTEMD, lay_out
from sekisho.store.directory import PolicyDirectory

PROGRAM = "/usr/bin/sekisho"


def lines(directory: PolicyDirectory, name: str) -> list[str]:
    return (directory.path / name).read_text().splitlines()


def laid_out(tmp_path: Path) -> PolicyDirectory:
    directory = PolicyDirectory(tmp_path / "policy")
    assert lay_out(directory, PROGRAM, lambda path: path == "/usr/bin/dpkg")
    return directory


def test_everything_learns_but_what_installs_programs(tmp_path: Path) -> None:
    profiles = {name: domain.profile for name, domain in laid_out(tmp_path).load().domains.items()}

    assert 1 == profiles["<kernel>"] == profiles[f"<kernel> {SYSTEMD}"]
    assert 0 == profiles[f"<kernel> {PROGRAM}"] == profiles["<kernel> /usr/bin/dpkg"]


def test_what_systemd_starts_begins_a_domain(tmp_path: Path) -> None:
    found = lines(laid_out(tmp_path), "exception_policy.conf")

    assert {f"initialize_domain any from <kernel> {name}" for name in (SYSTEMD, EXECUTOR)} <= set(found)


def test_the_engine_is_administered_from_wherever_its_command_may_be_executed(tmp_path: Path) -> None:
    found = lines(laid_out(tmp_path), "exception_policy.conf")

    assert {f"initialize_domain {PROGRAM} from any", f"keep_domain any from <kernel> {PROGRAM}"} <= set(found)


def test_only_installers_that_are_there_are_managers(tmp_path: Path) -> None:
    found = lines(laid_out(tmp_path), "manager.conf")

    assert {f"<kernel> {PROGRAM}", "<kernel> /usr/bin/dpkg"} <= set(found)
    assert not any("/usr/bin/rpm" in line for line in found)


@pytest.mark.parametrize("text", [f"file execute {PROGRAM}", f"file getattr {PROGRAM}", f"file execute {SHUTDOWN}"])
def test_what_no_daemon_could_learn_is_granted_from_the_start(tmp_path: Path, text: str) -> None:
    assert asked_of_systemd(tmp_path, text)


def asked_of_systemd(tmp_path: Path, text: str) -> bool:
    """Whether there is a line for it."""
    policy = laid_out(tmp_path).load()
    return decide(policy, policy.domains[f"<kernel> {SYSTEMD}"], request(text)).entry is not None


@pytest.mark.parametrize("number", [6, 9, 15])
@pytest.mark.parametrize("whose", ["<kernel> /usr/sbin/service", ENGINE])
def test_systemd_may_end_what_it_has_started_the_engines_daemon_too(tmp_path: Path, number: int, whose: str) -> None:
    assert asked_of_systemd(tmp_path, f"ipc signal {number} {whose}")


@pytest.mark.parametrize(
    "text",
    [
        "file mkdir /sys/fs/cgroup/system.slice/sekisho.service/ 0755",
        "file rmdir /sys/fs/cgroup/system.slice/sekisho.service/",
        "file read /sys/fs/cgroup/system.slice/sekisho.service/cgroup.events",
        "file write /sys/fs/cgroup/system.slice/sekisho.service/cgroup.procs",
        "file symlink /run/systemd/units/.#invocation:sekisho.service3ec372be023ed256",
        "file rename /run/systemd/units/.#invocation:x.service3e /run/systemd/units/invocation:x.service",
        "file unlink /run/systemd/units/invocation:sekisho.service",
        "file getattr /usr/lib/systemd/system/sekisho.service",
        "file read /etc/systemd/system/multi-user.target.wants/cron.service",
    ],
)
def test_systemd_may_start_again_what_has_never_been_before(tmp_path: Path, text: str) -> None:
    assert asked_of_systemd(tmp_path, text)


@pytest.mark.parametrize(
    ("keyword", "operands"),
    [
        ("unix", "anonymous"),
        ("unix", r"\000abstract"),
        ("unix", r"\000with/slash"),
        ("unix", "/run/some/where/socket"),
        ("inet", "192.0.2.1 514"),
        ("inet", "2001:db8::1 40000"),
    ],
)
def test_what_comes_before_the_service_it_is_for_is_received(tmp_path: Path, keyword: str, operands: str) -> None:
    assert asked_of_systemd(tmp_path, f"network {keyword} dgram recv {operands}")


def test_a_second_time_keeps_what_is_there(tmp_path: Path) -> None:
    directory = laid_out(tmp_path)
    policy = directory.load()
    policy.domains[f"<kernel> {SYSTEMD}"].profile = 3
    directory.save(policy)

    assert not lay_out(directory, PROGRAM, lambda path: False)
    assert 3 == directory.load().domains[f"<kernel> {SYSTEMD}"].profile
