from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.learn.choices import choices
from sekisho.names.pattern import compile_pattern
from sekisho.names.word import encode
from sekisho.policy.parser import parse_acl
from sekisho.policy.printer import print_acl


def lines(text: str) -> list[str]:
    return [print_acl(choice.entry) for choice in choices(parse_acl(text))]


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        (
            "file read /var/log/app-7.log",
            [
                "file read /var/log/app-7.log",
                r"file read /var/log/app-\$.log",
                r"file read /var/log/\*.log",
                r"file read /var/log/\*",
            ],
        ),
        ("file read /hosts", ["file read /hosts", r"file read /\*"]),
        ("file getattr /srv/www/", ["file getattr /srv/www/", r"file getattr /srv/\*/"]),
        (
            "file read proc:/12/stat",
            ["file read proc:/12/stat", r"file read proc:/\$/stat", r"file read proc:/12/\*"],
        ),
        ("file read pipe:[12]", ["file read pipe:[12]", r"file read pipe:[\$]"]),
        ("file rename /a/x /a/y", ["file rename /a/x /a/y", r"file rename /a/x /a/\*"]),
        ("file create /t/n 0644", ["file create /t/n 0644", r"file create /t/\* 0644"]),
        (
            'file execute /bin/sh exec.argv[0]="sh"',
            ['file execute /bin/sh exec.argv[0]="sh"', r'file execute /bin/\* exec.argv[0]="sh"'],
        ),
        (
            "network inet stream connect 192.0.2.1 443",
            [
                "network inet stream connect 192.0.2.1 443",
                "network inet stream connect 192.0.2.1 0-65535",
                "network inet stream connect 0.0.0.0-255.255.255.255 443",
            ],
        ),
        ("network unix stream connect /run/x.1", None),
        (r"file read /var/log/\*", [r"file read /var/log/\*"]),
        ("file read @LOGS", ["file read @LOGS"]),
        ("network inet stream connect @A 443", ["network inet stream connect @A 443"]),
        ("misc env HOME", ["misc env HOME"]),
        ("capability use_bpf", ["capability use_bpf"]),
        ("ipc signal 9 <kernel> /usr/bin/x", ["ipc signal 9 <kernel> /usr/bin/x"]),
    ],
)
def test_what_is_offered(asked: str, offered: list[str] | None) -> None:
    if offered is None:
        assert r"network unix stream connect /run/\*" in lines(asked)
    else:
        assert offered == lines(asked)


@given(st.binary(min_size=1, max_size=30).filter(lambda raw: b"\0" not in raw))
def test_each_reads_back_and_grants_what_was_asked(raw: bytes) -> None:
    name = "/" + encode(raw)
    for choice in choices(parse_acl(f"file read {name}")):
        assert parse_acl(print_acl(choice.entry)) == choice.entry
        assert compile_pattern(choice.entry.operands[0].text).matches(name)
        assert choice.meaning
