from __future__ import annotations

from dataclasses import replace

from sekisho.audit.values import Image, Record
from sekisho.decide.request import Task
from sekisho.engine.records import RecordQueue, weight
from sekisho.policy.model import Mode

RECORD = Record(1.0, 3, Mode.ENFORCING, False, "<kernel> /p", "file read /etc/shadow", Task())


def test_records_come_out_as_they_came_in() -> None:
    queue = RecordQueue()
    woken: list[int] = []
    queue.wake = lambda: woken.append(len(queue))
    other = replace(RECORD, acl="file read /etc/passwd")
    queue.put(RECORD, 10)
    queue.put(other, 10)
    assert [1, 2] == woken
    assert (RECORD, other, None) == (queue.take(), queue.take(), queue.take())
    assert (0, 0) == (len(queue), queue.memory)


def test_what_doesnt_fit_is_dropped() -> None:
    queue = RecordQueue()
    for _ in range(5):
        queue.put(RECORD, 3)
    assert 3 == len(queue)
    queue.put(RECORD, 0)
    assert 3 == len(queue)


def test_a_quota_counts_bytes() -> None:
    queue = RecordQueue()
    for _ in range(5):
        queue.put(RECORD, 100, 2 * weight(RECORD) + 1)
    assert 2 == len(queue)
    assert 2 * weight(RECORD) == queue.memory


def test_arguments_weigh() -> None:
    assert weight(replace(RECORD, execution=Image("/p", 1, 0, ("x" * 5000,), ()))) > weight(RECORD) + 5000
