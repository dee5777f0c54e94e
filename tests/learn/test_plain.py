from __future__ import annotations

import pytest
from tests.decide.support import execution, facts, request

from sekisho.decide.request import Facts, Request
from sekisho.learn.plain import like, not_a_group, write_down
from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.policy.acl import parse_acl
from sekisho.policy.model import AclEntry
from sekisho.policy.printer import print_acl

SHELL = execution(b"-sh", realpath="/usr/bin/dash")


def written(asked: Request) -> AclEntry:
    suggestion = write_down(asked)
    return AclEntry((asked.operation,), suggestion.operands, None, suggestion.conditions)


@pytest.mark.parametrize(
    ("asked", "about", "line"),
    [
        ("file read /a", facts(), "file read /a"),
        ("file execute /bin/sh", SHELL, 'file execute /bin/sh exec.realpath="/usr/bin/dash" exec.argv[0]="-sh"'),
        ("file execute /bin/sh", execution(realpath="/usr/bin/dash"), "file execute /bin/sh"),
        ("file execute /bin/sh", execution(b""), 'file execute /bin/sh exec.realpath="/usr/bin/true" exec.argv[0]=""'),
        ("file symlink /l", facts(symlink_target="some\\040target"),
         'file symlink /l symlink.target="some\\040target"'),
        ("file symlink /l", facts(symlink_target="@x"), 'file symlink /l symlink.target="\\?x"'),
        ("file ioctl /dev/null 0x541B", facts(), "file ioctl /dev/null 0x541B"),
        ("file mkchar /n 0666 1 3", facts(), "file mkchar /n 0666 1 3"),
        ("misc env PATH", SHELL, "misc env PATH"),
        ("misc env @A", SHELL, "misc env @A"),
        ("network unix stream bind @x", facts(), "network unix stream bind \\?x"),
        ("network inet stream bind ::1 80", facts(), "network inet stream bind ::1 80"),
        ("file mount <NULL> /m/ --remount 0x0", facts(), "file mount <NULL> /m/ --remount 0x0"),
    ],
)  # fmt: skip
def test_requests_are_written_as_the_kernel_learns_them(asked: str, about: Facts, line: str) -> None:
    entry = written(request(asked, about))

    assert line == print_acl(entry)
    assert entry == parse_acl(line)


def test_a_long_first_argument_is_cut_where_conditions_cut_it() -> None:
    condition = write_down(request("file execute /x", execution(b"a" * 9000))).conditions[1]

    assert f'"{"a" * 4086}"' == condition.right


def test_words_that_repeat_the_name_follow_it() -> None:
    name = RewriteRules.parse(DEFAULT_REWRITE, "rewrite.conf").name
    program = "/tmp/fooaB3dEf/prog"

    assert like("./fooaB3dEf/prog", program, name) == "./foo\\?\\?\\?\\?\\?\\?/prog"
    assert like("prog", program, name) == "prog"
    assert like("-prog", program, name) == "-prog"
    assert like("fooaB3dEf", "/tmp/fooaB3dEf", name) == "foo\\?\\?\\?\\?\\?\\?"
    assert like(program, program, name) == "/tmp/foo\\?\\?\\?\\?\\?\\?/prog"
    assert like("/tmp/tmp.aBcDeF/x", "/bin/x", name) == "/tmp/tmp.\\?\\?\\?\\?\\?\\?/x"


def test_an_executed_temporary_program_is_generalised_throughout() -> None:
    rules = RewriteRules.parse(DEFAULT_REWRITE, "rewrite.conf")
    about = execution(b"./run", realpath="/tmp/tmp.aBcDeF/run")
    suggestion = rules.apply(request("file execute /tmp/tmp.aBcDeF/run", about))
    pattern = "/tmp/tmp.\\?\\?\\?\\?\\?\\?/run"

    assert suggestion.operands[0].text == pattern
    assert [f'exec.realpath="{pattern}"', 'exec.argv[0]="./run"'] == [each.text for each in suggestion.conditions]


def test_words_that_would_read_as_groups_are_patterns() -> None:
    assert (not_a_group("@x"), not_a_group("x@")) == ("\\?x", "x@")
