from __future__ import annotations

import errno
import os

import pytest
from tests.engine.supervisor import tried

from sekisho.engine.supervisor.running.rehearsal import Outcomes, in_child, rehearse

NEEDED = {"filter", "proc", "getfd", "notification", "hand over", "read memory", "write memory", "ptrace"}


def rehearse_without(**refused: int) -> Outcomes:
    def run() -> Outcomes:
        tried.refuse(refused)
        return rehearse(privileged=False)

    return tried.in_child(run)


def test_everything_needed_is_tried() -> None:
    assert set(rehearse(privileged=False)) >= NEEDED


def test_every_step_works_where_the_tests_run() -> None:
    outcomes = rehearse(privileged=False)

    assert {} == {step: problem for step, problem in outcomes.items() if problem}


@pytest.mark.parametrize(
    ("call", "step"),
    [
        ("ptrace", "ptrace"),
        ("process_vm_writev", "write memory"),
        ("pidfd_getfd", "getfd"),
        ("seccomp", "filter"),
    ],
)
def test_a_refused_call_spoils_its_step(call: str, step: str) -> None:
    outcomes = rehearse_without(**{call: errno.EPERM})

    assert outcomes[step]


def test_what_follows_a_failed_filter_is_not_reached() -> None:
    assert {"filter"} == set(rehearse_without(seccomp=errno.EINVAL))


def test_a_kernel_without_landlock_says_nothing_of_signals() -> None:
    assert "signal scope" not in rehearse_without(landlock_create_ruleset=errno.ENOSYS)


def test_nothing_is_left_behind() -> None:
    before = set(os.listdir("/proc/self/fd"))

    rehearse(privileged=False)

    assert before == set(os.listdir("/proc/self/fd"))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_in_child_gives_the_error() -> None:
    def fail() -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    assert in_child(fail) == "Operation not permitted"
    assert in_child(lambda: None) == ""
    assert in_child(lambda: os._exit(3)) == "the process died"
