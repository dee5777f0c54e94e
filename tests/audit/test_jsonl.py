from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from tests.audit.strategies import records

from sekisho.audit.jsonl import format_json, parse_json
from sekisho.audit.values import Image, Record
from sekisho.decide.request import FileType, Inode, Task
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


INODE = Inode(0, 0, 5, 8, 1, 0o644, FileType.FILE)
FULL = Record(
    1.5, 1, Mode.LEARNING, True, "<kernel>", "file execute /bin/sh", Task(), INODE, INODE, INODE, INODE,
    Image("/bin/sh", 1, 1, ("sh",), ("A=b",)), "x",
)  # fmt: skip


def each(path: list[str], *values: object) -> list[tuple[list[str], object]]:
    return [(path, value) for value in values]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *each(["time"], None, "1", True, -1, 1e300, float("nan"), float("inf")),
        *each(["profile"], None, "1", 1.0, True),
        *each(["granted"], None, 1, "yes"),
        *(([name], 5) for name in "mode domain acl task path1 path2.parent exec symlink.target".split()),
        *((["path1", name], 0.5) for name in ("uid", "perm", "type", "dev_major")),
        *each(["task", "pid"], "1", False),
        *each(["task", "more"], 1),
        *each(["exec", "argv"], "sh", [1], None, {}),
        *each(["exec", "envp"], "A=b", [None]),
        *((["exec", name], 1.0) for name in ("realpath", "argc", "envc")),
    ],
)
def test_a_value_of_another_kind_is_refused(path: list[str], value: object) -> None:
    fields = json.loads(format_json(FULL))
    inner = fields
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value

    with pytest.raises(ValueError):
        parse_json(json.dumps(fields))


def test_nests_of_any_depth_are_refused() -> None:
    with pytest.raises(ValueError):
        parse_json("[" * 100_000)
