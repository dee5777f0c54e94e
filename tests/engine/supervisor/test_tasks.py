"""Lineage of real children: who is placed where, and who can't be."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.engine.supervisor.forked import child, wait_for_word

from sekisho.engine.supervisor.system import procfs
from sekisho.engine.supervisor.tasks import Lost, Process, Tasks, _children_by_parent, children, lineage
from sekisho.policy.model import Domain

OWN, OTHER = Domain("<kernel> /own"), Domain("<kernel> /other")


class Book(Tasks):
    """Tasks whose births are written down."""

    def __init__(self) -> None:
        self.births: list[int] = []
        super().__init__(lambda process: self.births.append(process.tgid))


@pytest.fixture
def tasks() -> Iterator[Book]:
    book = Book()
    book.add(os.getpid(), OWN, os.getppid())
    yield book
    for process in list(book.by_tgid.values()):
        book.gone(process)


def own(tasks: Tasks) -> Process:
    return tasks.by_tgid[os.getpid()]


def test_lineage() -> None:
    assert (os.getpid(), os.getppid()) == lineage(os.getpid())
    with child(wait_for_word) as other:
        other.hear()
        assert (other.pid, os.getpid()) == lineage(other.pid)
    with pytest.raises(FileNotFoundError):
        lineage(other.pid)


def test_a_thread_belongs_to_its_process(tasks: Book) -> None:
    found: list[int] = []

    def play() -> None:
        found.append(threading.get_native_id())
        assert lineage(found[0]) == (os.getpid(), os.getppid())
        assert tasks.find(found[0]) is own(tasks)

    thread = threading.Thread(target=play)
    thread.start()
    thread.join()
    assert found[0] in own(tasks).threads
    tasks.thread_gone(found[0])
    assert found[0] not in own(tasks).threads
    assert found[0] not in tasks.by_tid


def test_children() -> None:
    with child(wait_for_word) as first, child(wait_for_word) as second:
        for other in (first, second):
            other.hear()

        assert {first.pid, second.pid} <= set(children(os.getpid()))
        assert {first.pid, second.pid} <= set(_children_by_parent(os.getpid()))
    assert not {first.pid, second.pid} & set(children(os.getpid()))
    assert [] == children(first.pid)


def test_a_child_is_placed_by_its_parent(tasks: Book) -> None:
    own(tasks).credits = 1
    with child(wait_for_word) as other:
        other.hear()
        placed = tasks.find(other.pid)

        assert (OWN, os.getpid()) == (placed.domain, placed.parent)
        assert 0 == own(tasks).credits
        assert placed is tasks.find(other.pid)
        assert other.pid in tasks.births


def test_a_child_that_nobody_forked_is_lost(tasks: Book) -> None:
    with child(wait_for_word) as other:
        other.hear()
        with pytest.raises(Lost):
            tasks.find(other.pid)


def test_a_stranger_is_lost(tasks: Book) -> None:
    own(tasks).credits = 1
    with pytest.raises(Lost):
        tasks.find(1)


def test_a_child_of_a_parent_that_left_its_domain_owing_is_lost(tasks: Book) -> None:
    own(tasks).credits = 1
    own(tasks).former.add(OTHER.name)
    with child(wait_for_word) as other:
        other.hear()
        with pytest.raises(Lost):
            tasks.find(other.pid)


def test_what_is_gone_is_an_error_not_a_guess(tasks: Book) -> None:
    with child(wait_for_word) as other:
        other.hear()
    with pytest.raises(FileNotFoundError):
        tasks.find(other.pid)


def test_settling_places_every_child(tasks: Book) -> None:
    own(tasks).credits = 3
    with child(wait_for_word) as first, child(wait_for_word) as second:
        for other in (first, second):
            other.hear()
        tasks.settle(own(tasks))

        assert tasks.by_tgid[first.pid].domain is tasks.by_tgid[second.pid].domain is OWN
        assert 0 == own(tasks).credits


def test_threads_may_be_forking_while_children_are_counted(tasks: Book) -> None:
    own(tasks).credits, own(tasks).shares_files = 3, True
    tasks.settle(own(tasks))

    assert 3 == own(tasks).credits


def test_a_child_inherits_what_its_parent_shares(tasks: Book) -> None:
    own(tasks).credits, own(tasks).shares_files = 1, True
    with child(wait_for_word) as other:
        other.hear()

        assert tasks.find(other.pid).shares_files


def grandchild(channel: socket.socket) -> None:
    """A child's play: forks, tells the grandchild's pid, and ends when told."""
    pid = os.fork()
    if not pid:
        signal.alarm(20)
        signal.pause()
    channel.send(b"%d" % pid)
    channel.recv(100)


@pytest.mark.parametrize(("debts", "placed"), [({OWN: 1}, True), ({OWN: 1, OTHER: 1}, False), ({}, False)])
def test_an_orphan_is_placed_where_all_the_dead_agree(tasks: Book, debts: dict[Domain, int], placed: bool) -> None:
    with child(grandchild) as other:
        orphan = int(other.hear())
        other.channel.send(b"end")
        os.waitpid(other.pid, 0)
    try:
        tasks.dead_debts = dict(debts)
        if placed:
            assert OWN is tasks.find(orphan).domain
            assert {} == tasks.dead_debts
        else:
            with pytest.raises(Lost):
                tasks.find(orphan)
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_living_parent_that_pays_no_debt_doesnt_take_an_orphan(tasks: Book) -> None:
    """An orphan in the hands of a process that adopts isn't that process's child."""
    tasks.dead_debts = {OTHER: 1}
    own(tasks).credits, own(tasks).reaper = 1, True
    with child(wait_for_word) as other:
        other.hear()
        with pytest.raises(Lost):
            tasks.find(other.pid)


def test_the_dead_leave_their_debts(tasks: Book) -> None:
    with child(wait_for_word) as other:
        other.hear()
        own(tasks).credits = 1
        placed = tasks.find(other.pid)
        placed.credits = 2
        tasks.gone(placed)

        assert {OWN: 2} == tasks.dead_debts
        assert other.pid not in tasks.by_tgid
        assert other.pid not in tasks.by_tid


def test_a_new_image_starts_without_the_old_one(tasks: Book) -> None:
    process = own(tasks)
    memory = process.open_memory(os.getpid())
    assert memory is process.open_memory(os.getpid())
    process.shares_files = True
    process.threads.add(99)
    process.forget_image(same_rights=False)

    assert (-1, None, False, set(), {}) == (
        memory.fd, process.memory, process.shares_files, process.threads, process.identities,
    )  # fmt: skip


def test_fields_of_a_process_with_an_odd_name() -> None:
    def play(channel: socket.socket) -> None:
        with open("/proc/self/comm", "w") as comm:
            comm.write("a) Z (b")
        wait_for_word(channel)

    with child(play) as other:
        other.hear()
        assert (other.pid, os.getpid()) == lineage(other.pid)
        assert b"a) Z (b" in procfs.read(f"/proc/{other.pid}/stat")


def test_a_process_that_forks_for_ever_holds_nobody_up(tasks: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """What doesn't settle stays owed: nobody is placed by a list that was out of date when it was read."""
    gone = iter(range(10**6, 10**7))
    monkeypatch.setattr("sekisho.engine.supervisor.tasks.children", lambda _: [next(gone)])
    own(tasks).credits = 5

    tasks.settle(own(tasks))

    assert own(tasks).credits == 5


def test_who_is_of_the_tree(tasks: Book) -> None:
    with child(wait_for_word) as other:
        other.hear()
        own(tasks).credits = 1
        assert tasks.member(os.getpid()) is own(tasks)
        assert tasks.member(1) is None
        assert tasks.member(os.getppid()) is None

        placed = tasks.member(other.pid)
        assert placed is not None and placed.domain is OWN
        assert tasks.member(other.pid) is placed
    with pytest.raises(OSError):
        tasks.member(0x7FFFFFFF)


def test_who_is_of_the_tree_and_cant_be_placed(tasks: Book) -> None:
    with child(wait_for_word) as other:
        other.hear()
        with pytest.raises(Lost):
            tasks.member(other.pid)


@pytest.mark.parametrize("nests", [False, True])
def test_a_child_of_who_makes_pid_namespaces_has_other_numbers_and_may_adopt(tasks: Book, nests: bool) -> None:
    own(tasks).nests = nests
    with child(wait_for_word) as other:
        other.hear()
        own(tasks).credits = 1
        placed = tasks.find(other.pid)

    assert (nests, nests, nests) == (placed.nested, placed.nests, placed.reaper)


@pytest.mark.parametrize("nested", [False, True])
def test_an_orphan_may_come_from_one(tasks: Book, nested: bool) -> None:
    tasks.nested = nested
    tasks.dead_debts[OTHER] = 1
    with child(wait_for_word) as other:
        other.hear()
        own(tasks).reaper = True
        placed = tasks.find(other.pid)

    assert (OTHER, nested) == (placed.domain, placed.nested)
