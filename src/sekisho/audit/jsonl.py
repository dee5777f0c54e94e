"""An audit record as one line of JSON, with the same facts under the same names as in the text."""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

from sekisho.audit.values import Image, Record
from sekisho.decide.request import FileType, Inode, Task
from sekisho.policy.model import Mode

_YEAR_10000: Final = 253402300800
_OBJECTS = ("path1", "path1_parent", "path2", "path2_parent")


def format_json(record: Record) -> str:
    """The record as one line without a newline; what is None is left out."""
    fields: dict[str, Any] = {
        "time": record.time,
        "profile": record.profile,
        "mode": record.mode.word,
        "granted": record.granted,
        "domain": record.domain,
        "acl": record.acl,
        "task": _task(record.task),
    }
    for name in _OBJECTS:
        inode = getattr(record, name)
        if inode is not None:
            fields[name.replace("_", ".")] = {key: value for key, value in _fields(inode).items() if value is not None}
    if record.execution is not None:
        fields["exec"] = _fields(record.execution)
    if record.symlink_target is not None:
        fields["symlink.target"] = record.symlink_target
    return json.dumps(fields, separators=(",", ":"))


def _task(task: Task) -> dict[str, Any]:
    """Its ids; its type if it is an execute handler."""
    fields = _fields(task)
    if fields.pop("execute_handler"):
        fields["type"] = "execute_handler"
    return fields


def _fields(value: Task | Inode | Image) -> dict[str, Any]:
    """The fields by name; dataclasses.asdict would copy each deeply, at many times the cost."""
    return {name: getattr(value, name) for name in value.__slots__}


def parse_json(line: str) -> Record:
    """The record that ``format_json`` made ``line`` of. Raises ValueError when the line isn't one."""
    try:
        fields = json.loads(line)
        return _record(fields)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not an audit record: {error!r}") from error


def _record(fields: dict[str, Any]) -> Record:
    target = fields.get("symlink.target")
    return Record(
        time=_time(fields["time"]),
        profile=_number(fields["profile"]),
        mode=Mode[fields["mode"].upper()],
        granted=_is(bool, fields["granted"]),
        domain=_is(str, fields["domain"]),
        acl=_is(str, fields["acl"]),
        task=_parse_task(fields["task"]),
        path1=_inode(fields.get("path1")),
        path1_parent=_inode(fields.get("path1.parent")),
        path2=_inode(fields.get("path2")),
        path2_parent=_inode(fields.get("path2.parent")),
        execution=_image(fields.get("exec")),
        symlink_target=None if target is None else _is(str, target),
    )


def _parse_task(fields: dict[str, Any]) -> Task:
    ids = {**fields}
    kind = ids.pop("type", None)
    if kind not in (None, "execute_handler"):
        raise ValueError(f"not an audit record: no task is of type {kind!r}")
    return Task(**{name: _number(value) for name, value in ids.items()}, execute_handler=kind is not None)


def _inode(fields: dict[str, Any] | None) -> Inode | None:
    if fields is None:
        return None
    numbers = {name: _number(value) for name, value in fields.items() if name != "type"}
    return Inode(**numbers, type=FileType(fields["type"]))


def _image(fields: dict[str, Any] | None) -> Image | None:
    if fields is None:
        return None
    argv, envp = (tuple(_is(str, word) for word in _is(list, fields[name])) for name in ("argv", "envp"))
    return Image(_is(str, fields["realpath"]), _number(fields["argc"]), _number(fields["envc"]), argv, envp)


_Value = TypeVar("_Value")


def _is(kind: type[_Value], value: object) -> _Value:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} where a {kind.__name__} belongs")
    return value


def _number(value: object) -> int:
    if isinstance(value, bool):  # which is an int to Python
        raise TypeError(f"{value!r} where a number belongs")
    return _is(int, value)


def _time(value: object) -> float:
    time = value if isinstance(value, float) else _number(value)
    if not 0 <= time < _YEAR_10000:
        raise ValueError(f"not an audit record: {time!r} is no time")
    return time
