from __future__ import annotations

import dataclasses
import errno

import pytest
from tests.engine.supervisor import tried

from sekisho.engine.supervisor.running import doctor
from sekisho.engine.supervisor.running.doctor import Finding, examine
from sekisho.engine.supervisor.system import abi, landlock


def examine_without(**refused: int) -> dict[str, Finding]:
    def run() -> dict[str, Finding]:
        tried.refuse(refused)
        return {finding.name: finding for finding in examine()}

    return tried.in_child(run)


def test_everything_can_be_enforced_where_the_tests_run() -> None:
    assert [] == [finding for finding in examine() if not finding.ok]


def test_findings_are_values() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        examine()[0].ok = False  # type: ignore[misc]


def test_each_thing_is_named_once() -> None:
    names = [finding.name for finding in examine()]

    assert len(names) == len(set(names))


def test_what_works_has_no_hint() -> None:
    assert {""} == {finding.hint for finding in examine() if finding.ok}


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("ptrace", "watching an exec (ptrace)"),
        ("process_vm_writev", "writing a program's memory"),
        ("pidfd_getfd", "taking a descriptor over (pidfd_getfd)"),
        ("openat2", "careful opening (openat2)"),
        ("seccomp", "seccomp user notification"),
    ],
)
def test_what_a_container_refuses_is_found_with_what_to_do(call: str, name: str) -> None:
    finding = examine_without(**{call: errno.EPERM})[name]

    assert not finding.ok
    assert finding.detail
    assert finding.hint


def test_an_old_kernel_is_told_from_a_refusal() -> None:
    finding = examine_without(seccomp=errno.EINVAL)["seccomp user notification"]

    assert "5.19" in finding.hint


def test_a_supervised_process_is_told_that_it_is() -> None:
    def run() -> Finding:
        tried.supervise_self()
        return next(finding for finding in examine() if finding.name == "seccomp user notification")

    finding = tried.in_child(run)

    assert not finding.ok
    assert "supervised already" in finding.hint


def test_what_can_be_done_without_is_told_and_no_failure() -> None:
    finding = examine_without(landlock_create_ruleset=errno.ENOSYS)["Landlock around the tree"]

    assert finding.ok
    assert finding.detail.startswith("not there")


FENCES = "Landlock under the checks"


def test_what_landlock_holds_underneath_is_told() -> None:
    finding = next(finding for finding in examine() if finding.name == FENCES)

    assert finding.detail.startswith(f"ABI {landlock.abi()}: " if landlock.abi() else "not there")


@pytest.mark.parametrize("call", ["landlock_create_ruleset", "landlock_restrict_self"])
def test_that_nothing_is_held_underneath_is_told_and_no_failure(call: str) -> None:
    finding = examine_without(**{call: errno.ENOSYS})[FENCES]

    assert finding.ok
    assert finding.detail.startswith("not there (Function not implemented)")


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        (1, "; not moving, truncating, TCP ports (a newer kernel could)"),
        (2, "; not truncating, TCP ports (a newer kernel could)"),
        (3, "; not TCP ports (a newer kernel could)"),
        (4, "and to its TCP ports"),
    ],
)
def test_what_an_older_landlock_cant_hold_is_told(version: int, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: version)

    finding = next(finding for finding in examine() if finding.name == FENCES)

    assert finding.detail.endswith(missing)


def test_an_unknown_architecture_ends_the_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abi, "native", lambda: None)

    (finding,) = examine()

    assert not finding.ok
    assert "x86_64" in finding.hint


def test_a_user_without_capabilities_is_told_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "capabilities", frozenset)

    finding = next(finding for finding in examine() if finding.name == "privileges")

    assert "setuid" in finding.detail


def test_capabilities_are_small_numbers() -> None:
    assert doctor.capabilities() <= set(range(64))
