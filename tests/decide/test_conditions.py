"""Every operand of section e: when it holds, when it doesn't, and what a missing object makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.decide.support import execution, facts, inode

from sekisho.decide.conditions import compile_condition
from sekisho.decide.request import Execution, Facts, FileType, Task
from sekisho.errors import PolicyError
from sekisho.policy.acl import parse_acl
from sekisho.policy.model import Name, Namespace, Number

NAMESPACE = Namespace(
    "<kernel>",
    path_groups={"BINS": [Name("/bin/sh"), Name("/opt/\\*/sh")]},
    number_groups={"IDS": [Number("5", 5, 5), Number("1000-1010", 1000, 1010)]},
)


def holds(clause: str, about: Facts) -> bool:
    entry = parse_acl(f"file execute /x {clause}")
    return all(compile_condition(condition)(about, NAMESPACE) for condition in entry.conditions)


FILE = facts(
    path1=inode(perm=0o4755),
    path1_parent=inode(uid=11, gid=21, ino=31, perm=0o1777, type=FileType.DIRECTORY),
    path2=inode(uid=12, gid=22, ino=32, type=FileType.CHAR, dev_major=1, dev_minor=3),
    path2_parent=inode(uid=13, gid=23, ino=33, perm=0o700, type=FileType.DIRECTORY),
    symlink_target="some\\040target",
)
PROGRAM = execution(b"sh", b"a b", envp=(b"HOME=/root", b"X=1", b"X=2", b"bare"), realpath="/bin/sh")

TRUE = [
    ("task.uid=1000", FILE), ("task.gid=1001", FILE), ("task.euid=1002", FILE), ("task.egid=1003", FILE),
    ("task.suid=1004", FILE), ("task.sgid=1005", FILE), ("task.fsuid=1006", FILE), ("task.fsgid=1007", FILE),
    ("task.pid=100", FILE), ("task.ppid=99", FILE), ("task.uid=1000-2000", FILE), ("task.uid!=0-999", FILE),
    ("task.type!=execute_handler", FILE),
    ("task.uid=@IDS", FILE), ("task.pid!=@IDS", FILE), ("task.uid!=@NONE", FILE), ("task.uid!=task.euid", FILE),
    ("0-2000=task.uid", FILE), ("1000=task.uid", FILE), ("0x3E8=task.uid", FILE), ("01750=task.uid", FILE),
    ("900-1000=1000-1100", FILE), ("5-6=@IDS", FILE),
    ("path1.uid=10", FILE), ("path1.gid=20", FILE), ("path1.ino=30", FILE), ("path1.major=8", FILE),
    ("path1.minor=1", FILE), ("path1.perm=04755", FILE), ("path1.type=file", FILE), ("path1.type!=directory", FILE),
    ("path1.dev_major=0", FILE), ("path1.dev_minor=0", FILE), ("path1.type=0100000", FILE),
    ("path2.uid=12", FILE), ("path2.gid=22", FILE), ("path2.ino=32", FILE), ("path2.major=8", FILE),
    ("path2.minor=1", FILE), ("path2.perm=0644", FILE), ("path2.type=char", FILE),
    ("path2.dev_major=1", FILE), ("path2.dev_minor=3", FILE),
    ("path1.parent.uid=11", FILE), ("path1.parent.gid=21", FILE), ("path1.parent.ino=31", FILE),
    ("path1.parent.perm=01777", FILE), ("path2.parent.uid=13", FILE), ("path2.parent.gid=23", FILE),
    ("path2.parent.ino=33", FILE), ("path2.parent.perm=0700", FILE), ("path1.uid=path1.uid", FILE),
    ("path1.perm=setuid", FILE), ("path1.perm!=setgid", FILE), ("path1.parent.perm=sticky", FILE),
    ("path1.perm=owner_read", FILE), ("path1.perm=owner_write", FILE), ("path1.perm=owner_execute", FILE),
    ("path1.perm=group_read", FILE), ("path1.perm!=group_write", FILE), ("path1.perm=group_execute", FILE),
    ("path1.perm=others_read", FILE), ("path1.perm!=others_write", FILE), ("path1.perm=others_execute", FILE),
    ("owner_read=path1.perm", FILE), ("owner_read=0400", FILE), ("owner_read!=0200", FILE),
    ('symlink.target="some\\040target"', FILE), ('symlink.target="some\\*"', FILE), ('symlink.target!="x"', FILE),
    ("symlink.target!=@BINS", FILE), ('symlink.target!="@BINS"', FILE),
    ("exec.argc=2", PROGRAM), ("exec.envc=4", PROGRAM), ("exec.argc!=0-1", PROGRAM),
    ('exec.realpath="/bin/sh"', PROGRAM), ("exec.realpath=@BINS", PROGRAM), ('exec.realpath="/\\*/s\\?"', PROGRAM),
    ('exec.realpath!="/bin/bash"', PROGRAM), ('exec.realpath!="@BINS"', PROGRAM),
    ('exec.argv[0]="sh"', PROGRAM), ('exec.argv[1]="a\\040b"', PROGRAM), ('exec.argv[1]="a\\?b"', PROGRAM),
    ('exec.argv[1]!="a"', PROGRAM), ('exec.argv[2]!="sh"', PROGRAM),
    ('exec.envp["HOME"]="/root"', PROGRAM), ('exec.envp["HOME"]!=NULL', PROGRAM), ('exec.envp["NO"]=NULL', PROGRAM),
    ('exec.envp["NO"]!="x"', PROGRAM), ('exec.envp["X"]="\\+"', PROGRAM), ('exec.envp["X"]!="3"', PROGRAM),
    ('exec.envp["bare"]=NULL', PROGRAM), ("path1.perm=owner_execute exec.argc=2 task.uid=1000", PROGRAM),
]  # fmt: skip

FALSE = [
    ("task.type=execute_handler", FILE),
    ("task.uid!=1000", FILE), ("task.uid=0", FILE), ("task.uid=@NONE", FILE), ("task.uid!=@IDS", FILE),
    ("path1.perm!=setuid", FILE), ("path1.perm=setgid", FILE), ("path1.type=socket", FILE),
    ("path1.uid=owner_read", FILE), ("path1.uid!=owner_read", FILE), ("owner_read=setuid", FILE),
    ("owner_read!=setuid", FILE), ("0400=owner_read", FILE), ("file=owner_read", FILE), ("owner_read=file", FILE),
    ('symlink.target="some"', FILE), ('symlink.target!="some\\*"', FILE), ("symlink.target=@BINS", FILE),
    ('exec.realpath="@BINS"', PROGRAM),
    ('exec.argv[2]="sh"', PROGRAM), ('exec.argv[0]!="sh"', PROGRAM),
    ('exec.envp["HOME"]=NULL', PROGRAM), ('exec.envp["NO"]!=NULL', PROGRAM), ('exec.envp["NO"]="x"', PROGRAM),
    ('exec.envp["X"]="1"', PROGRAM), ('exec.envp["X"]!="1"', PROGRAM), ("exec.realpath!=@BINS", PROGRAM),
    ("task.uid=1000 task.gid=0", FILE),
]  # fmt: skip

NEEDS_OBJECT = [
    "path1.uid", "path1.gid", "path1.ino", "path1.major", "path1.minor", "path1.perm", "path1.dev_major",
    "path1.dev_minor", "path2.uid", "path1.parent.uid", "path1.parent.gid", "path1.parent.ino", "path1.parent.perm",
    "path2.parent.uid", "exec.argc", "exec.envc",
]  # fmt: skip


@pytest.mark.parametrize(("clause", "about"), TRUE, ids=lambda value: value if isinstance(value, str) else "")
def test_holds(clause: str, about: Facts) -> None:
    assert holds(clause, about)


@pytest.mark.parametrize(("clause", "about"), FALSE, ids=lambda value: value if isinstance(value, str) else "")
def test_fails(clause: str, about: Facts) -> None:
    assert not holds(clause, about)


@pytest.mark.parametrize("operand", NEEDS_OBJECT)
def test_a_missing_object_makes_both_operators_false(operand: str) -> None:
    assert not holds(f"{operand}=0-999999", facts())
    assert not holds(f"{operand}!=999999", facts())


@pytest.mark.parametrize(
    "clause",
    ['exec.argv[0]{}"x"', 'exec.envp["X"]{}"x"', 'exec.envp["X"]{}NULL', 'exec.realpath{}"/x"', 'symlink.target{}"x"',
     "path1.type{}file", "path1.perm{}setuid", "path1.uid{}@IDS"],
)  # fmt: skip
def test_other_clauses_without_their_object_are_false(clause: str) -> None:
    assert not holds(clause.format("="), facts())
    assert not holds(clause.format("!="), facts())


def test_the_parent_of_a_file_to_be_made_can_be_asked() -> None:
    assert holds("path1.parent.uid=10", facts(path1_parent=inode()))


@pytest.mark.parametrize("kind", list(FileType))
def test_every_type(kind: FileType) -> None:
    assert holds(f"path1.type={kind}", facts(path1=inode(type=kind)))
    assert not holds(f"path1.type!={kind}", facts(path1=inode(type=kind)))


def test_a_number_group_follows_its_members() -> None:
    clause = compile_condition(parse_acl("file execute /x task.uid=@LATER").conditions[0])
    namespace = Namespace("<kernel>")

    assert not clause(FILE, namespace)
    namespace.number_groups["LATER"] = [Number("1000", 1000, 1000)]
    assert clause(FILE, namespace)


KERNEL = json.loads((Path(__file__).parent / "kernel_conditions.json").read_text())
"""What TOMOYO in Linux 6.12 answered on execve of /usr/bin/cat with four arguments; "rejected": bad syntax."""

CAT = facts(
    task=Task(),
    path1=inode(uid=0, gid=0, perm=0o755),
    path1_parent=inode(uid=0, gid=0, perm=0o755, type=FileType.DIRECTORY),
    execution=Execution(
        "/usr/bin/cat",
        (b"cat0", b"/sys/kernel/security/tomoyo/self_domain", b"a b", b""),
        (b"A=1", b"D=1", b"D=2", b"bare", b"E="),
    ),
)


@pytest.mark.parametrize("clause", KERNEL)
def test_a_kernel_answers_the_same(clause: str) -> None:
    try:
        answer: bool | str = holds(clause, CAT)
    except PolicyError:
        answer = "rejected"

    assert KERNEL[clause] == answer
