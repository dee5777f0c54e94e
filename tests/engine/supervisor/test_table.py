from __future__ import annotations

import inspect
from collections import Counter

import pytest

from sekisho.engine.supervisor import table
from sekisho.engine.supervisor.calls import (
    accepting,
    attributes,
    binding,
    connecting,
    descriptors,
    entries,
    mounting,
    opening,
    receiving,
    sending,
)
from sekisho.engine.supervisor.calls.row import Row
from sekisho.engine.supervisor.programs import executions
from sekisho.engine.supervisor.system import abi
from sekisho.policy.grammar import OPERATIONS, PROFILE_OPERATIONS

ROWS = table.rows(privileged=True)
PLANNERS = (
    accepting,
    attributes,
    binding,
    connecting,
    descriptors,
    entries,
    executions,
    mounting,
    opening,
    receiving,
    sending,
)
NO_CALLS = {keyword for keyword in OPERATIONS if keyword.startswith("task ")}
"""Said of a process itself, or written to an interface file; not asked for by a system call."""


def test_a_system_call_has_one_row() -> None:
    assert {} == {name: count for name, count in Counter(row.name for row in ROWS).items() if count > 1}


def test_every_operation_of_a_profile_can_be_asked_for() -> None:
    assert set(PROFILE_OPERATIONS) == {operation for row in ROWS for operation in row.operations}


@pytest.mark.parametrize("keyword", sorted(set(OPERATIONS) - NO_CALLS))
def test_every_keyword_belongs_to_an_operation_of_some_row(keyword: str) -> None:
    assert any(OPERATIONS[keyword].profile in row.operations for row in ROWS)


@pytest.mark.parametrize("keyword", sorted(keyword for keyword in OPERATIONS if keyword.startswith("file ")))
def test_every_file_keyword_stands_in_a_planner(keyword: str) -> None:
    sources = [inspect.getsource(module) for module in PLANNERS]

    execute = keyword == "file execute"
    assert execute or any(f'"{keyword}"' in source for source in sources)


def test_rows_that_ask_for_nothing_guard_the_engine_or_follow_who_is_who() -> None:
    planned = {row.name for row in ROWS if row.operations}

    assert {"openat", "execve", "connect", "mount"} <= planned
    assert not planned & {"fork", "exit_group", "prctl", "seccomp", "prlimit64", "swapon", "landlock_create_ruleset"}


@pytest.mark.parametrize(
    "name",
    ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "pidfd_send_signal", "ptrace", "process_vm_writev", "pidfd_getfd"]
    + ["setpriority", "sched_setattr", "fcntl", "ioctl"],
)
def test_what_policy_may_allow_never_reaches_the_supervisor(name: str) -> None:
    row = next(row for row in ROWS if row.name == name)

    assert row.operations
    assert row.guard is not None


@pytest.mark.parametrize("row", [row for row in ROWS if row.shortcut is not None], ids=lambda row: row.name)
def test_only_what_changes_no_names_has_a_shortcut(row: Row) -> None:
    assert not row.mutates
    assert not row.always


@pytest.mark.parametrize("row", [row for row in ROWS if row.mutates], ids=lambda row: row.name)
def test_what_changes_names_asks_for_something(row: Row) -> None:
    assert row.operations


@pytest.mark.parametrize("name", ["execve", "execveat", "fork", "clone", "clone3", "exit", "exit_group"])
def test_lineage_is_followed_in_every_mode(name: str) -> None:
    row = next((row for row in ROWS if row.name == name), None)

    assert row is not None and row.always and not row.where


@pytest.mark.parametrize("architecture", abi.ARCHITECTURES.values(), ids=abi.ARCHITECTURES.keys())
def test_rows_by_number(architecture: abi.Architecture) -> None:
    rows = table.by_number(ROWS, architecture)

    assert {row.name for row in rows.values()} == {row.name for row in ROWS} & set(architecture.numbers)
    assert all(architecture.numbers[row.name] == number for number, row in rows.items())


@pytest.mark.parametrize("architecture", abi.ARCHITECTURES.values(), ids=abi.ARCHITECTURES.keys())
def test_the_filter_is_small_enough_for_the_kernel(architecture: abi.Architecture) -> None:
    assert len(table.program(table.by_number(ROWS, architecture), architecture)) // 8 <= 4096


def test_an_ordinary_supervisor_doesnt_stop_changes_of_ids() -> None:
    ordinary = {row.name for row in table.rows(privileged=False)}

    assert {"setuid", "setgroups", "capset"} <= {row.name for row in ROWS} - ordinary


@pytest.mark.parametrize(
    "name", ["open_by_handle_at", "process_vm_writev", "io_uring_setup", "pidfd_getfd", "userfaultfd", "bpf", "uselib"]
)
def test_ways_around_stop(name: str) -> None:
    assert name in {row.name for row in ROWS}
