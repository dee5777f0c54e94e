from __future__ import annotations

import pytest

from sekisho.audit.record import make_record
from sekisho.audit.text import format_text
from sekisho.decide.decision import Decision
from sekisho.decide.request import Execution, Facts, Request, Task
from sekisho.interface.inquiry import parse_inquiry
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Mode

REFUSED = Decision(False, Mode.ENFORCING, None, None, False, True, False)


class Some(Facts):
    task = Task(pid=7, ppid=6, uid=33, gid=33, euid=34, global_pid=4711)


def asked(keyword: str, *arguments: str | int, facts: Facts | None = None) -> bytes:
    request = Request(OPERATIONS[keyword], arguments, facts or Some())
    return b"Q12-3\n" + format_text(make_record(1.0, Domain("<kernel> /p"), request, REFUSED)).encode() + b"\0"


def test_who_asks_for_what() -> None:
    inquiry = parse_inquiry(asked("file create", "/tmp/x", 0o644))
    assert (12, 3, 4711) == (inquiry.serial, inquiry.retry, inquiry.pid)
    assert ("33", "34") == (inquiry.task["uid"], inquiry.task["euid"])
    assert "<kernel> /p" == inquiry.domain
    assert ("file create /tmp/x 0644",) * 2 == (inquiry.acl, inquiry.line)


def test_an_execution_is_written_as_learning_would() -> None:
    facts = Some()
    facts.execution = Execution("/usr/bin/dash", (b"sh x", b"-c"), (b"A=1",))
    inquiry = parse_inquiry(asked("file execute", "/bin/sh", facts=facts))
    assert r'file execute /bin/sh exec.realpath="/usr/bin/dash" exec.argv[0]="sh\040x"' == inquiry.line


def test_an_execution_without_arguments_has_only_its_path() -> None:
    facts = Some()
    facts.execution = Execution("/usr/bin/dash", (), ())
    assert (
        'file execute /bin/sh exec.realpath="/usr/bin/dash"'
        == parse_inquiry(asked("file execute", "/bin/sh", facts=facts)).line
    )


def test_a_symbolic_link_says_where_it_leads() -> None:
    facts = Some()
    facts.symlink_target = "../x"
    assert (
        'file symlink /tmp/l symlink.target="../x"' == parse_inquiry(asked("file symlink", "/tmp/l", facts=facts)).line
    )


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"Q1-0\n\0", b"X1-0\na\nb\nc\n\0", b"Q1-0\n#x#\n<kernel>\nfile read /x\n\0"]
)
def test_anything_else_is_told_apart(raw: bytes) -> None:
    with pytest.raises(ValueError, match="no question"):
        parse_inquiry(raw)


def test_arguments_are_told_as_far_as_the_record_has_them() -> None:
    facts = Some()
    facts.execution = Execution("/usr/bin/dash", (b"sh", b"-c", b'} envp[]={ "x" '), (b"A=1",))
    assert (
        r'"sh" "-c" "}\040envp[]={\040"x"\040"'
        == parse_inquiry(asked("file execute", "/bin/sh", facts=facts)).arguments
    )
    facts.execution = Execution("/usr/bin/dash", (b"sh", b"x" * 9000), ())
    assert '"sh" ...' == parse_inquiry(asked("file execute", "/bin/sh", facts=facts)).arguments
    assert "" == parse_inquiry(asked("file read", "/bin/sh")).arguments
