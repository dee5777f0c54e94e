from __future__ import annotations

import pytest
from tests.decide.support import request

from sekisho.engine.supervisor.guard import Guard


@pytest.fixture
def guard() -> Guard:
    made = Guard()
    made.add_process(500)
    made.add_process(501)
    made.add_directory("/var/policy dir")
    return made


@pytest.mark.parametrize(
    ("line", "reached"),
    [
        ("file read proc:/500/mem", True),
        ("file read proc:/501/environ", True),
        ("file read proc:/500/status", False),
        ("file read proc:/500/task/500/stat", False),
        ("file getattr proc:/500/mem", False),
        ("file write proc:/500/comm", True),
        ("file read proc:/5001/mem", False),
        ("file read proc:/self/mem", False),
        ("file write /var/policy\\040dir/domain_policy.conf", True),
        ("file read /var/policy\\040dir/domain_policy.conf", False),
        ("file getattr /var/policy\\040dir/domain_policy.conf", False),
        ("file execute /var/policy\\040dir/x", False),
        ("file create /var/policy\\040dir/new 0600", True),
        ("file chmod /var/policy\\040dir/ 0700", True),
        ("file rename /elsewhere/ /var/policy\\040dir/", True),
        ("file rename /var/ /elsewhere/", True),
        ("file rename /var /elsewhere", False),
        ("file rmdir /var/", False),
        ("file link /var/policy\\040dir/x /tmp/x", True),
        ("file mount none /var/ tmpfs 0x0", True),
        ("file mount none / tmpfs 0x0", True),
        ("file mount none / --make-private 0x0", False),
        ("file mount none / --remount 0x0", False),
        ("file mount none /srv/ tmpfs 0x0", False),
        ("file pivot_root /var/ /old/", True),
        ("file write /var/policy\\040directory", False),
        ("network inet stream connect 127.0.0.1 80", False),
        ("misc env HOME", False),
    ],
)
def test_what_is_out_of_reach(guard: Guard, line: str, reached: bool) -> None:
    assert reached is bool(guard.reached([request(line)]))


def test_one_of_several_is_enough(guard: Guard) -> None:
    assert guard.reached([request("file read /etc/passwd"), request("file read proc:/500/mem")])


def test_a_guard_of_nothing() -> None:
    assert not Guard().reached([request("file write /anything")])


def test_the_number_of_a_worker_that_is_gone_is_anybodys(guard: Guard) -> None:
    for worker in (600, 601):
        guard.add_worker(worker)
    guard.forget_workers({601})
    guard.add_worker(602)

    assert {500, 501, 601, 602} == guard.processes
    assert guard.reached([request("file read proc:/600/mem")]) is None
    assert guard.reached([request("file read proc:/601/mem")]) is not None
