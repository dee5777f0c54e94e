"""Law 1: what is printed reads back as the same policy, and printing is canonical."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.policy.strategies import entries, facts, policies

from sekisho.errors import PolicyError
from sekisho.policy import parser, printer
from sekisho.policy.model import Policy

KINDS = [
    (parser.parse_profile, printer.print_profile),
    (parser.parse_exception_policy, printer.print_exception_policy),
    (parser.parse_domain_policy, printer.print_domain_policy),
    (parser.parse_manager, printer.print_manager),
]


@given(entries())
def test_an_entry_reads_back_as_itself(entry):
    assert parser.parse_acl(printer.print_acl(entry)) == entry


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(policies())
def test_a_policy_reads_back_as_itself(policy):
    read = Policy()
    for parse, show in KINDS:
        parse(show(policy), read, source="x")

    assert facts(read) == facts(policy)
    for _, show in KINDS:
        assert show(read) == show(policy)


@pytest.mark.parametrize("parse", [parse for parse, _ in KINDS])
def test_one_wrong_line_leaves_the_policy_as_it_was(parse):
    good = {
        parser.parse_profile: "1-COMMENT=x",
        parser.parse_exception_policy: "aggregator /a /b",
        parser.parse_domain_policy: "<kernel> /bin/sh",
        parser.parse_manager: "/bin/sh",
    }[parse]
    policy = Policy()
    before = facts(policy)

    with pytest.raises(PolicyError) as caught:
        parse(f"{good}\n\\b nonsense\n# a comment\n\nmore nonsense\n{good}\n", policy, source="dir/file")

    assert facts(policy) == before
    assert [(error.file, error.line) for error in caught.value.all] == [("dir/file", 2), ("dir/file", 5)]


@pytest.mark.parametrize("parse", [parse for parse, _ in KINDS])
def test_nothing_to_read_changes_nothing(parse):
    policy = Policy()
    before = facts(policy)

    parse("\n \t\n# comment\n\x01\n", policy, source="x")

    assert facts(policy) == before


_WORDS = st.sampled_from(
    "file network inet unix stream raw misc env task read write/append execute mount create bind @ @G /a /\\* <kernel> "
    'delete select use_profile use_group 1 0x 1-2 ::1 keep path_group acl_group from any task.uid=0 exec.argv[0]="a" '
    "1-CONFIG::file={ 1-COMMENT= mode=learning } 1-PREFERENCE={ = \\ ä".split()
)
_texts = st.lists(st.lists(_WORDS | st.text(max_size=3), max_size=6).map(" ".join), max_size=4).map("\n".join)


@settings(max_examples=300)
@given(st.sampled_from(KINDS), _texts)
def test_any_text_is_either_read_or_refused_with_a_position(kind, text):
    parse, show = kind
    policy = Policy()
    try:
        parse(text, policy, source="f")
    except PolicyError as error:
        lines = text.split("\n")
        for each in error.all:
            assert 1 <= each.column <= len(lines[each.line - 1]) + 1
        return
    read = Policy()
    parse(show(policy), read, source="f")

    assert show(read) == show(policy)
