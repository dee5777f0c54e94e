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


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((("time",), value) for value in (None, "1", True, -1, 1e300, float("nan"), float("inf"))),
        *((("profile",), value) for value in (None, "1", 1.0, True)),
        *((("granted",), value) for value in (None, 1, "yes")),
        *(
            ((name,), 5)
            for name in ("mode", "domain", "acl", "task", "path1", "path2.parent", "exec", "symlink.target")
        ),
        *((("path1", name), 0.5) for name in ("uid", "perm", "type", "dev_major")),
        *((("task", name), value) for name in ("pid", "more") for value in ("1", False)),
        *((("exec", name), value) for name in ("argv", "envp") for value in ("sh", [1], None, {})),
        *((("exec", name), 1.0) for name in ("realpath", "argc", "envc")),
    ],
)
def test_a_value_of_another_kind_is_refused(path: tuple[str, ...], value: object) -> None:
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
