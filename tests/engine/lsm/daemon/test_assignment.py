from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.daemon.assignment import Assignment
from sekisho.engine.lsm.daemon.tasks import Process, began
from sekisho.policy.edit import ensure_domain
from sekisho.policy.model import Domain, Policy
from sekisho.policy.parser import parse_profile
from sekisho.store.defaults import profiles


class MemoryTasks:
    """Task storage by process, as pidfds tell them."""

    def __init__(self) -> None:
        self.contents: dict[int, layout.Task] = {}

    def lookup(self, key: int, /) -> bytes | None:
        task = self.contents.get(pid_of(key))
        return bytes(task) if task is not None else None

    def update(self, key: int, value: bytes, condition: int = 0, /) -> None:
        self.contents[pid_of(key)] = layout.Task.from_buffer_copy(value)


def pid_of(fd: int) -> int:
    with open(f"/proc/self/fdinfo/{fd}") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))


@pytest.fixture
def waiting() -> Iterator[int]:
    """A process that does nothing."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    yield pid
    os.close(write)
    os.close(read)
    os.waitpid(pid, 0)


def start_of(pid: int) -> int:
    found = began(pid)
    assert found is not None
    return found


def test_whoever_has_none_gets_one(waiting: int) -> None:
    policy = Policy()
    parse_profile(profiles(), policy)
    names: list[str] = []

    def number(domain: Domain) -> int:
        names.append(domain.name)
        return 5

    tasks = MemoryTasks()
    own = Process(os.getpid(), 0, start_of(os.getpid()), b"/bin/test")
    child = Process(waiting, os.getpid(), start_of(waiting), b"/bin/child")
    gone = Process(2**22 + 1, os.getpid(), 3, b"/bin/gone")
    kernel = Process(2, 0, 1, None, is_kernel=True)
    assignment = Assignment(policy, tasks, number, lambda number: None, lambda: [own, kernel, child, gone])
    tasks.contents[os.getpid()] = layout.Task(domain=3)

    assignment.plan()
    assert "<kernel> /bin/test /bin/child" in policy.domains
    assignment.assign()

    assert 3 == tasks.contents[os.getpid()].domain
    assert (5, layout.TASK_INFERRED) == (tasks.contents[waiting].domain, tasks.contents[waiting].flags)
    assert {"<kernel> /bin/test", "<kernel> /bin/test /bin/child", "<kernel> /bin/test /bin/gone"} == set(names)
    assert 2 not in tasks.contents
    assert assignment.assigned >= 1


def test_what_runs_no_program_yet_has_a_domain_unless_it_is_the_kernels_own(waiting: int) -> None:
    policy = Policy()
    parse_profile(profiles(), policy)
    tasks, helper = MemoryTasks(), Process(waiting, 2, start_of(waiting), None)

    Assignment(policy, tasks, lambda domain: len(domain.name), lambda number: None, lambda: [helper]).assign()

    assert len("<kernel>") == tasks.contents[waiting].domain


def test_who_has_executed_something_meanwhile_is_put_right(waiting: int) -> None:
    policy = Policy()
    parse_profile(profiles(), policy)
    numbers: dict[str, int] = {}
    tasks = MemoryTasks()
    found = [Process(waiting, 0, start_of(waiting), b"/bin/sh")]
    assignment = Assignment(
        policy,
        tasks,
        lambda domain: numbers.setdefault(domain.name, len(numbers) + 5),
        lambda number: next((policy.domains[name] for name, held in numbers.items() if held == number), None),
        lambda: found,
    )
    assignment.plan()
    assignment.assign()
    assert [] == assignment.overtaken()
    found[0] = Process(waiting, 0, start_of(waiting), b"/bin/ls")

    ((process, given, domain),) = assignment.overtaken()

    assert (found[0], 5, "<kernel> /bin/ls") == (process, given, domain.name)
    assert assignment.correct(process, given, domain)
    assert 6 == tasks.contents[waiting].domain
    assert not assignment.correct(process, given, domain)


def test_what_begins_and_executes_while_nobody_moves_is_put_right_later(waiting: int) -> None:
    policy = Policy()
    parse_profile(profiles(), policy)
    shell = ensure_domain(policy, "<kernel> /bin/sh")
    tasks = MemoryTasks()
    tasks.contents[os.getpid()] = layout.Task(domain=9)
    own = Process(os.getpid(), 0, start_of(os.getpid()), b"/bin/sh")
    found = [own]
    numbers = {shell.name: 9}
    assignment = Assignment(
        policy,
        tasks,
        lambda domain: numbers.setdefault(domain.name, 10),
        lambda number: shell if number == 9 else None,
        lambda: found,
    )
    assignment.remember()
    tasks.contents[waiting] = layout.Task(domain=9)  # as the kernel gives it to whoever is forked
    found.append(Process(waiting, own.pid, start_of(waiting), b"/bin/ls"))

    ((process, given, domain),) = assignment.overtaken()

    assert (waiting, 9, "<kernel> /bin/sh /bin/ls") == (process.pid, given, domain.name)
    assert assignment.correct(process, given, domain)
    assert 10 == tasks.contents[waiting].domain
    assert [] == assignment.overtaken()


def test_nobody_gets_what_was_meant_for_one_that_had_its_number_before(waiting: int) -> None:
    tasks = MemoryTasks()
    found = [Process(waiting, 0, start_of(waiting) - 1, b"/bin/sh")]
    assignment = Assignment(Policy(), tasks, lambda domain: 5, lambda number: None, lambda: found)

    assert not assignment.give(found[0], 4)
    tasks.contents[waiting] = layout.Task(domain=5)
    assert not assignment.correct(found[0], 5, Domain("<kernel> /bin/sh"))
    assert 5 == tasks.contents[waiting].domain
    tasks.contents.clear()
    assignment.plan()


def test_a_thread_is_given_the_domain_only_while_it_is_of_that_process(waiting: int) -> None:
    tasks = MemoryTasks()
    assignment = Assignment(Policy(), tasks, lambda domain: 5, lambda number: None, list)

    assert not assignment.give(Process(waiting, 0, start_of(waiting), b"/bin/sh"), 4, os.getpid())
    assert not tasks.contents


def test_who_is_somewhere_already_is_there(waiting: int) -> None:
    policy = Policy()
    parse_profile(profiles(), policy)
    kept = ensure_domain(policy, "<kernel> /of/an/earlier/start")
    tasks = MemoryTasks()
    tasks.contents[waiting] = layout.Task(domain=9)
    found = [Process(waiting, 0, 2, b"/bin/sh"), Process(os.getpid(), waiting, 3, b"/bin/ls")]
    assignment = Assignment(policy, tasks, lambda domain: 5, {9: kept}.get, lambda: found)

    assignment.plan()

    assert {"<kernel>", kept.name, f"{kept.name} /bin/ls"} == set(policy.domains)


def test_a_thread_is_no_harm_where_it_cant_be_told() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        tasks = MemoryTasks()
        assignment = Assignment(Policy(), tasks, lambda domain: 1, lambda number: None, list)
        own = Process(os.getpid(), 0, start_of(os.getpid()), b"/bin/test")
        assignment.give(own, 4, thread.native_id or 0)
        assert not assignment.give(Process(2**22 + 1, 0, 1, b"/bin/gone"), 4)
    finally:
        done.set()
        thread.join()
