from __future__ import annotations

import json

import pytest
from hypothesis import given
from tests.audit.strategies import records

from sekisho.audit.jsonl import format_json, parse_json
from sekisho.audit.values import Record


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


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", "null", '{"time": 1}', '{"mode": "eager"}'])
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(ValueError):
        parse_json(line)
