"""Records that a TOMOYO kernel wrote, made again from their facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sekisho.audit.text import format_text
from sekisho.audit.values import Image, Record
from sekisho.decide.request import FileType, Inode, Task
from sekisho.policy.model import Mode

ROOT = Task(pid=417, ppid=416, global_pid=417)
BASE = Record(
    1795474380.9, 5, Mode.ENFORCING, False, "<kernel> /tmp/t/s", "file execute /usr/bin/cat", ROOT,
)  # fmt: skip
HEAD = (
    "#2026/11/23 22:53:00# profile=5 mode=enforcing granted=no (global-pid=417) task={ pid=417 ppid=416 "
    "uid=0 gid=0 euid=0 egid=0 suid=0 sgid=0 fsuid=0 fsgid=0 }"
)
CAT = Inode(0, 0, 553, 254, 0, 0o755, FileType.FILE)
BIN = Inode(0, 0, 521, 254, 0, 0o755, FileType.DIRECTORY)
NULL = Inode(0, 0, 4, 0, 6, 0o666, FileType.CHAR, 1, 3)


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        (BASE, ""),
        (
            replace(BASE, path1=CAT, path1_parent=BIN),
            (
                " path1={ uid=0 gid=0 ino=553 major=254 minor=0 perm=0755 type=file }"
                " path1.parent={ uid=0 gid=0 ino=521 perm=0755 }"
            ),
        ),
        (
            replace(BASE, path1=NULL),
            " path1={ uid=0 gid=0 ino=4 major=0 minor=6 perm=0666 type=char dev_major=1 dev_minor=3 }",
        ),
        (
            replace(BASE, path2=BIN, path2_parent=replace(BIN, perm=0o1777)),
            (
                " path2={ uid=0 gid=0 ino=521 major=254 minor=0 perm=0755 type=directory }"
                " path2.parent={ uid=0 gid=0 ino=521 perm=01777 }"
            ),
        ),
        (
            replace(
                BASE,
                path1=CAT,
                execution=Image(
                    "/usr/bin/cat", 2, 4, ("cat", "/etc/hostname"), ("HOME=/root", "X=", "LANG=C", "PWD=/")
                ),
            ),
            (
                " path1={ uid=0 gid=0 ino=553 major=254 minor=0 perm=0755 type=file }"
                ' exec={ realpath="/usr/bin/cat" argc=2 envc=4 argv[]={ "cat" "/etc/hostname" }'
                ' envp[]={ "HOME=/root" "X=" "LANG=C" "PWD=/" } }'
            ),
        ),
        (
            replace(BASE, execution=Image("/x", 0, 2, (), ("A",))),
            ' exec={ realpath="/x" argc=0 envc=2 argv[]={ } envp[]={ "A" ... } }',
        ),
        (replace(BASE, symlink_target="some\\040target"), ' symlink.target="some\\040target"'),
    ],
)
def test_the_first_line_holds_the_facts(record: Record, facts: str) -> None:
    assert f"{HEAD}{facts}\n<kernel> /tmp/t/s\nfile execute /usr/bin/cat\n" == format_text(record)


def test_a_grant_says_so() -> None:
    text = format_text(replace(BASE, granted=True, mode=Mode.LEARNING, profile=0, time=0))

    assert text.startswith("#1970/01/01 00:00:00# profile=0 mode=learning granted=yes (global-pid=417) task={ pid=417")


def test_only_an_execute_handler_has_a_type() -> None:
    handler = replace(BASE, task=replace(ROOT, execute_handler=True))

    assert format_text(handler).splitlines()[0] == HEAD.removesuffix("}") + "type=execute_handler }"
