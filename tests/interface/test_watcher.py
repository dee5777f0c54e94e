from __future__ import annotations

import os
import threading
from functools import partial

from sekisho.interface.watcher import Watcher

PATIENCE = 20


def test_each_descriptor_has_its_turn_until_it_is_removed() -> None:
    watcher, turns = Watcher(), {1: threading.Event(), 2: threading.Event()}
    fds = {number: os.eventfd(0) for number in turns}

    def turn(number: int) -> None:
        os.eventfd_read(fds[number])
        turns[number].set()

    try:
        for number, fd in fds.items():
            watcher.add(fd, partial(turn, number))
        os.eventfd_write(fds[2], 1)
        assert turns[2].wait(PATIENCE) and not turns[1].is_set()
        watcher.remove(fds[1])
        watcher.remove(fds[1])
        os.eventfd_write(fds[1], 1)
        turns[2].clear()
        os.eventfd_write(fds[2], 1)
        assert turns[2].wait(PATIENCE) and not turns[1].is_set()
    finally:
        watcher.close()
        for fd in fds.values():
            os.close(fd)


def test_closing_ends_the_thread_and_closes_what_it_opened() -> None:
    before, threads = set(os.listdir("/proc/self/fd")), threading.active_count()
    watcher = Watcher()
    fd = os.eventfd(0)
    watcher.add(fd, lambda: None)
    assert threading.active_count() == threads + 1
    watcher.close()
    watcher.close()
    os.close(fd)

    assert threading.active_count() == threads
    assert set(os.listdir("/proc/self/fd")) <= before


def test_nobody_is_watched_by_a_thread_before_the_first() -> None:
    threads = threading.active_count()
    Watcher().remove(0)
    Watcher().close()

    assert threading.active_count() == threads
