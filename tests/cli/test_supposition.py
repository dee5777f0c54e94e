from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.cli.supposition import suppose
from sekisho.errors import UserError


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("file read /x", ("/x",)),
        ("file create /x 0644", ("/x", 0o644)),
        ("file ioctl /x 0x5401", ("/x", 0x5401)),
        ("file rename /x /y", ("/x", "/y")),
        ("network inet stream bind 0.0.0.0 80", ("0.0.0.0", 80)),
        ("network inet dgram send ::1 53", ("::1", 53)),
        (r"network unix stream connect \000abstract", (r"\000abstract",)),
        ("misc env PATH", ("PATH",)),
        ("task manual_domain_transition <kernel> /bin/x", ("<kernel> /bin/x",)),
        ("ipc signal 9 <kernel> /bin/x", (9, "<kernel> /bin/x")),
        ("ipc ptrace <kernel>", ("<kernel>",)),
        ("network inet stream accept ::1 5000", ("::1", 5000)),
        ("capability use_bpf", ()),
    ],
)
def test_a_line_is_a_request(text: str, arguments: tuple[str | int, ...]) -> None:
    request = suppose(text)

    assert arguments == request.arguments
    assert text.startswith(request.operation.keyword)


def test_the_caller_and_the_image_are_as_supposed() -> None:
    facts = suppose(
        'file execute /bin/sh task.uid=5 task.ppid=1 exec.realpath="/bin/dash" exec.argv[0]="a\\040b" '
        'exec.argv[2]="c" exec.envp["HOME"]="/root"'
    ).facts

    assert (5, 1, 0) == (facts.task.uid, facts.task.ppid, facts.task.gid)
    assert facts.execution is not None
    assert ("/bin/dash", (b"a b", b"", b"c"), (b"HOME=/root",)) == (
        facts.execution.realpath, facts.execution.argv, facts.execution.envp,
    )  # fmt: skip
    assert suppose("capability use_bpf task.type=execute_handler").facts.task.execute_handler
    assert "there" == suppose('file symlink /x symlink.target="there"').facts.symlink_target


def test_an_image_nothing_is_said_of_is_the_program_itself(tmp_path: Path) -> None:
    program, link = tmp_path / "program", tmp_path / "link"
    program.touch()
    link.symlink_to(program)

    execution = suppose(f"file execute {link}").facts.execution

    assert execution is not None
    assert (str(program), (os.fsencode(link),)) == (execution.realpath, execution.argv)


def test_files_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o640)

    facts = suppose(f"file rename {tmp_path}/file {tmp_path}/absent").facts

    assert facts.path1 is not None
    assert facts.path1_parent is not None
    assert (0o640, facts.path1_parent) == (facts.path1.perm, facts.path2_parent)
    assert facts.path1_parent.ino == tmp_path.stat().st_ino
    assert facts.path2 is None


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("file mount /dev/sda1 /mnt/ ext4 0x0", False),
        ("file mount /src/ /mnt/ --bind 0x0", False),
        ("file mount none /mnt/ tmpfs 0x0", True),
        ("file mount none /mnt/ --remount 0x0", True),
        ("file mount none /mnt/ --make-shared 0x0", True),
    ],
)
def test_the_device_counts_only_where_there_is_one(text: str, ignored: bool) -> None:
    assert ignored is suppose(text).ignore_first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file read/write /x", "2 things at once: file read, file write; ask for one"),
        (r"file read /\*", r"/\* is a pattern; give one name that it matches"),
        ("file read @GROUP", "@GROUP is a group; give one of its members"),
        ("file create /x 0600-0644", "0600-0644 is a range; give one number"),
        ("file create /x @MODES", "@MODES is a group"),
        ("network inet stream bind 10.0.0.0-10.0.0.9 80", "10.0.0.0-10.0.0.9 is a range; give one address"),
        ("file read /x task.uid!=0", "task.uid!=0 doesn't say what is; suppose facts with ="),
        ("file read /x path1.uid=0", "path1.uid=0 can't be supposed"),
        ("file read /x task.uid=0-5", "task.uid=0-5 can't be supposed"),
        ('file execute /x exec.argv[99999]="a"', "can't be supposed"),
        (r'file execute /x exec.realpath="/\*"', "isn't one value"),
        ("ipc signal 1-9 <kernel>", "1-9 is a range; give one number"),
        ("ipc ptrace/read_memory <kernel>", "2 things at once"),
        ("capability use_bpf task.type!=execute_handler", "suppose facts with ="),
        ("task auto_domain_transition <kernel> /a", "nothing that a program asks for"),
        ("task auto_execute_handler /h", "nothing that a program asks for"),
        ("task denied_execute_handler /h", "nothing that a program asks for"),
    ],
)
def test_what_is_no_single_request_is_an_error(text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        suppose(text)

    assert said in str(caught.value)
