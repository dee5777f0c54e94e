"""Every directive is understood, prints canonically, and its mistakes are pointed at."""

import pytest

from sekisho.errors import PolicyError
from sekisho.policy.acl import PREFERENCES, parse_acl
from sekisho.policy.grammar import OPERATIONS, Operand
from sekisho.policy.model import Address, Name, Number
from sekisho.policy.printer import print_acl

_SAMPLES = {
    Operand.NAME: "/tmp/a",
    Operand.DOMAIN: "<kernel> /bin/sh",
    Operand.ADDRESS: "10.0.0.1",
    Operand.OCTAL: "0644",
    Operand.HEX: "0x5401",
    Operand.DECIMAL: "80",
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_keyword(operation):
    text = " ".join([operation.keyword, *(_SAMPLES[kind] for kind in operation.operands)])
    entry = parse_acl(f"{text} task.uid=0 grant_log=no")

    assert entry.operations == (operation,)
    assert len(entry.operands) == len(operation.operands)
    assert entry.grant_log is False
    assert print_acl(entry) == f"{text} task.uid=0 grant_log=no"


_WITH_OPERANDS = [operation for operation in OPERATIONS.values() if operation.operands]


@pytest.mark.parametrize("operation", _WITH_OPERANDS, ids=lambda operation: operation.keyword)
def test_every_keyword_wants_all_its_operands(operation):
    words = operation.keyword.split() + [_SAMPLES[kind] for kind in operation.operands]
    text = " ".join(words[:-1])

    with pytest.raises(PolicyError, match="found the end of the line") as caught:
        parse_acl(text)
    assert caught.value.column == len(text) + 1


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("file getattr/read/read /a", "file read/getattr /a"),
        ("file chgrp/chmod/create /a 00", "file create/chmod/chgrp /a 00"),
        ("  file\tread   /a ", "file read /a"),
        ("file create /a 0x1ff-0777", "file create /a 0x1FF-0777"),
        ("file mount /dev/sda1 /mnt/ ext4 0X1", "file mount /dev/sda1 /mnt/ ext4 0x1"),
        ("file mount @D <NULL> \\* @F", "file mount @D <NULL> \\* @F"),
        ("network unix stream bind anonymous", "network unix stream bind anonymous"),
        ("network unix stream connect \\000/tmp/x", "network unix stream connect \\000/tmp/x"),
        ("network inet raw send @A @P", "network inet raw send @A @P"),
        ("misc env \\*", "misc env \\*"),
        ("misc env @x", "misc env @x"),
        ("file execute /a /b", "file execute /a /b"),
        ("file execute /a keep grant_log=yes task.uid=0", "file execute /a keep task.uid=0 grant_log=yes"),
        ("file execute @G <kernel> /b /c task.uid=0", "file execute @G <kernel> /b /c task.uid=0"),
        ("file execute /a task.uid=0", "file execute /a task.uid=0"),
        ("network inet dgram recv/bind ::1 53", "network inet dgram bind/recv ::1 53"),
        ("network unix stream accept @P", "network unix stream accept @P"),
        ("ipc signal 0x9 <kernel> /bin/sh /a task.uid=0", "ipc signal 0x9 <kernel> /bin/sh /a task.uid=0"),
        ("ipc signal @S <kernel>", "ipc signal @S <kernel>"),
        ("ipc write_memory/ptrace <other> /a", "ipc ptrace/write_memory <other> /a"),
        ("capability use_bpf task.uid=0 grant_log=no", "capability use_bpf task.uid=0 grant_log=no"),
        ("task auto_domain_transition <kernel> /a task.uid=0", "task auto_domain_transition <kernel> /a task.uid=0"),
        ("task denied_execute_handler /h task.type!=execute_handler",) * 2,
        (
            'file read /a auto_domain_transition="<kernel> /b" grant_log=no task.uid=0',
            'file read /a task.uid=0 grant_log=no auto_domain_transition="<kernel> /b"',
        ),
        ('ipc signal 9 <kernel> /a auto_domain_transition="/b"',) * 2,
        ('capability SYS_TIME auto_domain_transition="<kernel>"',) * 2,
    ],
)
def test_canonical_text(text, canonical):
    assert print_acl(parse_acl(text)) == canonical
    assert parse_acl(canonical) == parse_acl(text)


def test_operands_are_values():
    entry = parse_acl("file mkblock @P 0600-0644 8 @M")
    assert entry.operands == (
        Name("@P", "P"), Number("0600-0644", 0o600, 0o644), Number("8", 8, 8), Number("@M", group="M"),
    )  # fmt: skip
    assert parse_acl("network inet dgram send ::1 0-1023").operands == (
        Address("::1", 6, 1, 1),
        Number("0-1023", 0, 1023),
    )
    assert parse_acl("misc env @x").operands == (Name("@x"),)


@pytest.mark.parametrize("preference", [*sorted(PREFERENCES), "<other>", "<kernel> /a /b", "/a\\*", "proc:/x"])
def test_preferences(preference):
    assert parse_acl(f"file execute /x {preference} task.uid=0").preference == preference


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("", 1, "expected a policy entry", ""),
        ("fiel read /a", 1, "unknown directive 'fiel'", "did you mean file?"),
        ("allow_read /a", 1, "unknown directive 'allow_read'", "of TOMOYO 2.3 and older: sekisho policy convert"),
        ("6 /a", 1, "unknown directive '6'", "TOMOYO 2.3"),
        ("capability SYS_TMIE", 12, "unknown operation 'SYS_TMIE'", "did you mean SYS_TIME?"),
        ("capability SYS_TIME/SYS_NICE", 12, "joins operations", "one entry for each"),
        ("capability SYS_TIME /a", 21, "expected a condition or nothing", ""),
        ("capability", 11, "expected an operation after 'capability'", ""),
        ("ipc signal KILL <kernel>", 12, "(kill -l lists them): expected a number", ""),
        ("ipc signal 9 /bin/sh", 14, "expected a namespace such as <kernel>", ""),
        ("ipc signal/ptrace <kernel>", 5, "joins operations", "one entry for each"),
        ("ipc kill 9 <kernel>", 5, "unknown operation 'kill'", "ipc has: signal"),
        ("task auto_execute_handler handler", 27, "an execute handler: expected a pathname", ""),
        ("task auto_execute_handler /h\\*", 27, "can't be a pattern", "name one program"),
        ("task auto_execute_handler @H", 27, "an execute handler: expected a pathname", ""),
        (
            'file execute /a auto_domain_transition="/b"',
            17,
            "can't go with file execute",
            "file execute /a <kernel> /b",
        ),
        ('file read/execute /a grant_log=no auto_domain_transition="/b"', 35, "can't go with file execute", "write"),
        ('file execute /a <kernel> /c auto_domain_transition="/b"', 29, "can't go with file execute", "write"),
        ('task auto_execute_handler /h auto_domain_transition="/b"', 30, "can't go with a task entry", "remove it"),
        ('file read /a auto_domain_transition="b"', 38, "the destination: expected a pathname", "auto_domain_transit"),
        ("file", 5, "expected an operation after 'file'", ""),
        ("file raed /a", 6, "unknown operation 'raed'", "did you mean read?"),
        ("file read/wriet/append /a", 11, "unknown operation 'wriet'", "did you mean write?"),
        ("file read/ /a", 11, "unknown operation ''", "file has: execute read"),
        ("file read/link /a /b", 6, "joins operations that take different operands", "one entry for each"),
        ("network inet stream send ::1 1", 21, "unknown operation 'send'", "network inet stream has: bind"),
        ("network inet sctp bind ::1 1", 9, "unknown directive 'network inet sctp'", "network inet dgram"),
        ("network inet", 13, "expected an operation after 'network inet'", ""),
        ("misc enf A", 6, "unknown operation 'enf'", "misc has: env"),
        ("misc env A=b", 11, "a variable's name has no =", "isn't part of the entry"),
        ("file read /a b", 14, "expected a condition", ""),
        ("file read /a b/c", 14, "expected a condition or nothing", "\\040"),
        ("file read /a keep", 14, "expected a condition or nothing", "file execute alone"),
        ("file read/execute /a keep", 22, "expected a condition or nothing", "file execute alone"),
        ("file execute /a keep keep", 22, "expected a condition", ""),
        ("file create /a rw", 16, "the mode: expected a number", ""),
        ("file link /a \\z", 14, "the second pathname: \\z means nothing", "after \\ comes"),
        ("file mount /a /b c d", 20, "the flags: expected a number", ""),
        ("network inet stream bind localhost 80", 26, "an address, range or @address_group: expected", ""),
        ("network inet stream bind ::1 1-65536", 30, "at most 65535", ""),
        ("task manual_domain_transition /a", 31, "expected a namespace", ""),
        ("task manual_domain_transition <kernel> a", 40, "expected a condition", ""),
    ],
)
def test_mistakes_are_pointed_at_with_a_hint(text, column, message, hint):
    with pytest.raises(PolicyError) as caught:
        parse_acl(text, source="dir/file", line=3)

    assert (caught.value.file, caught.value.line, caught.value.column) == ("dir/file", 3, column)
    assert message in caught.value.message
    assert hint in caught.value.hint
