from __future__ import annotations

from tests.decide.support import DOMAIN, TASK, execution, facts, inode, policy, request

from sekisho.audit.record import format_json, format_text, make_notice, make_record, parse_json
from sekisho.decide.evaluate import decide
from sekisho.policy.model import Mode


def test_a_record_tells_request_and_decision() -> None:
    made, domain = policy("file mkdir /d/ 0700", mode=Mode.PERMISSIVE)
    asked = request("file mkdir /d/ 0700", facts(path1_parent=inode(), symlink_target="x"))
    record = make_record(12.5, domain, asked, decide(made, domain, asked))

    assert (12.5, 3, Mode.PERMISSIVE, True, DOMAIN, "file mkdir /d/ 0700", TASK) == (
        record.time, record.profile, record.mode, record.granted, record.domain, record.acl, record.task,
    )  # fmt: skip
    assert (None, inode(), None, None, None, "x") == (
        record.path1, record.path1_parent, record.path2, record.path2_parent, record.execution, record.symlink_target,
    )  # fmt: skip
    assert record == parse_json(format_json(record))


def test_an_execution_is_kept_as_text() -> None:
    made, domain = policy()
    asked = request("file execute /bin/sh", execution(b"sh", b"-c", envp=(b"A=1",)))
    record = make_record(0, domain, asked, decide(made, domain, asked))

    assert 'argc=2 envc=1 argv[]={ "sh" "-c" } envp[]={ "A=1" } }\n' in format_text(record)


def test_a_notice_is_about_the_domain() -> None:
    _, domain = policy()
    record = make_notice(0, domain, Mode.LEARNING, "quota_exceeded", facts())

    assert (DOMAIN, "quota_exceeded", False) == (record.domain, record.acl, record.granted)
