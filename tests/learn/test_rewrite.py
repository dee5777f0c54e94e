from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.decide.support import request
from tests.names.strategies import names

from sekisho.errors import PolicyError
from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.names.pattern import compile_pattern

DEFAULT = RewriteRules.parse(DEFAULT_REWRITE, "rewrite.conf")


def test_earlier_lines_go_first() -> None:
    rules = RewriteRules.parse("# comment\n\n name a\\$\nname a\\?\\?\n", "rewrite.conf")

    assert rules.name("/a12/aBC/a1") == "/a\\$/a\\?\\?/a\\$"


def test_without_rules_names_stay() -> None:
    assert RewriteRules().name("/tmp/tmp.aBcDeF1234") == "/tmp/tmp.aBcDeF1234"
    assert RewriteRules.parse("", "x").name("proc:/1/stat") == "proc:/1/stat"


def test_ports_are_rewritten_for_tcp_and_udp_only() -> None:
    def port(text: str) -> str:
        return DEFAULT.apply(request(text)).operands[1].text

    assert port("network inet stream connect 127.0.0.1 40000") == "32768-60999"
    assert port("network inet dgram bind ::1 60999") == "32768-60999"
    assert port("network inet stream connect 127.0.0.1 443") == "443"
    assert port("network inet stream bind 127.0.0.1 61000") == "61000"
    assert DEFAULT.apply(request("file chown /a 40000")).operands[1].text == "40000"


@pytest.mark.parametrize(
    ("line", "column", "message", "hint"),
    [
        ("nam tmp\\$", 1, "unknown rule nam", "name PATTERN"),
        ("  name", 3, "name takes one word, not 0", "\\040"),
        ("name a\\$ b\\$", 10, "name takes one word, not 2", "\\040"),
        ("name plain", 6, "plain would leave names as they are", "\\$"),
        ("name /tmp/\\A", 11, "\\A would open a whole directory", "literal"),
        ("chance  a\\-b\\$", 10, "\\- has no meaning", "without it"),
        ("port 60999-32768", 6, "60999-32768 is not a range of ports", "32768-60999"),
        ("port x", 6, "x is not a range of ports", "32768-60999"),
        ("port 1-65536", 6, "1-65536 is not a range of ports", "32768-60999"),
        ("name \\q\\$", 6, "\\q\\$ is not a correct name or pattern", "\\ooo"),
    ],
)
def test_errors_say_where_and_what_next(line: str, column: int, message: str, hint: str) -> None:
    with pytest.raises(PolicyError) as caught:
        RewriteRules.parse(f"# first\n{line}\n", "rewrite.conf")

    assert ("rewrite.conf", 2, column) == (caught.value.file, caught.value.line, caught.value.column)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_every_bad_line_is_told() -> None:
    with pytest.raises(PolicyError) as caught:
        RewriteRules.parse("bad\nname a\\$\nworse 1\n", "rewrite.conf")

    assert [1, 3] == [error.line for error in caught.value.all]


@given(names | st.from_regex(r"/tmp/[a-z]{0,4}\.?[A-Za-z0-9_]{6,10}(/[a-f0-9]{2})?/?", fullmatch=True))
def test_what_is_written_matches_and_has_as_many_components(name: str) -> None:
    written = DEFAULT.name(name)

    assert compile_pattern(written).matches(name)
    assert name.count("/") == written.count("/")
    assert "\\*" not in written and "\\@" not in written and "\\{" not in written
