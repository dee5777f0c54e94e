"""Any line of an audit log: it is a record, which is written as it was read, or is refused with a ValueError."""

from __future__ import annotations

from sekisho.audit.jsonl import format_json, parse_json
from sekisho.audit.text import format_text
from sekisho.audit.values import Image, Record
from sekisho.decide.request import FileType, Inode, Task
from sekisho.policy.model import Mode

_TASK = Task(pid=10, ppid=1, global_pid=10)
_INODE = Inode(0, 0, 5, 8, 1, 0o644, FileType.FILE, None, None)
_RECORDS = (
    Record(0.5, 3, Mode.ENFORCING, False, "<kernel> /bin/sh", "file read /etc/shadow", _TASK),
    Record(
        1.0, 1, Mode.LEARNING, True, "<kernel>", "file execute /bin/sh", _TASK, _INODE, _INODE, _INODE, _INODE,
        Image("/bin/sh", 1, 1, ("sh",), ("A=b",)), "x\\040y",
    ),
)  # fmt: skip
SEEDS = tuple(format_json(record).encode("ascii") for record in _RECORDS)
WORDS = (
    "null", "true", "1e999", "NaN", "-0", "[[", "{", "}", '"', "\\ud800", '"path1":', '"exec":', '"task":', '"type":',
    '"execute_handler"', '"symlink.target":', '"mode":', '"enforcing"', '"argv":', '"acl":', '"domain":',
)  # fmt: skip


def one(data: bytes) -> None:
    """The line is as the log's reader gives it."""
    line = data.decode("ascii", "backslashreplace")
    try:
        record = parse_json(line)
    except ValueError:
        return
    written = format_json(record)
    assert "\n" not in written and written.isascii()
    assert format_json(parse_json(written)) == written
    assert format_text(record)
