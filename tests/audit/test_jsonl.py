from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from tests.audit.strategies import records

from sekisho.audit.jsonl import format_json, parse_json
from sekisho.audit.values import Record
from sekisho.decide.request import Task
from sekisho.policy.model import Mode


@given(records)
def test_what_is_written_is_read_back(record: Record) -> None:
    line = format_json(record)

    assert record == parse_json(line)
    assert "\n" not in line


@given(records)
def test_only_what_there_is_is_written(record: Record) -> None:
    fields = json.loads(format_json(record))

    assert ("exec" in fields) is (record.execution is not None)
    assert ("path1.parent" in fields) is (record.path1_parent is not None)
    assert None not in fields.values()


def test_the_type_of_task_is_written_for_execute_handlers_alone() -> None:
    plain = Record(0, 1, Mode.ENFORCING, False, "<kernel>", "capability use_bpf", Task(pid=7))
    handler = replace(plain, task=replace(plain.task, execute_handler=True))

    assert "type" not in format_json(plain)
    assert json.loads(format_json(handler))["task"]["type"] == "execute_handler"
    with pytest.raises(ValueError, match="no task is of type 'thread'"):
        parse_json(format_json(handler).replace("execute_handler", "thread"))


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", "null", '{"time": 1}', '{"mode": "eager"}'])
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(ValueError):
        parse_json(line)
