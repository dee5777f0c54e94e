"""Learning mode: the law that what was learned is granted, and that without it it isn't; the quota."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.strategies import requests
from tests.decide.support import execution, facts, inode, policy, request

from sekisho.decide.evaluate import decide
from sekisho.decide.request import Facts, Request
from sekisho.learn.observe import learn
from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.policy.acl import parse_acl
from sekisho.policy.edit import add_entry, delete_entry
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Domain, Mode, Policy
from sekisho.policy.printer import print_acl

RULES = RewriteRules.parse(DEFAULT_REWRITE, "rewrite.conf")
ARGUMENTS: dict[str, list[str | int]] = {
    "name": ["/a", "/tmp/tmp.aBcDeF", "pipe:[7]", "@x", "proc:/12/stat"],
    "address": ["127.0.0.1", "::1"],
    "decimal": [0, 40000],
    "octal": [0o644, 0],
    "hex": [0x541B, 0],
    "domain": ["<kernel> /a", "<kernel>", "<a> /tmp/tmp.aBcDeF /\\*"],
}


@pytest.mark.parametrize("keyword", [keyword for keyword in OPERATIONS if not keyword.startswith("task")])
def test_every_keyword_is_learned_granted_and_denied_without_its_entry(keyword: str) -> None:
    operation = OPERATIONS[keyword]
    for choice in range(5):
        arguments = tuple(ARGUMENTS[kind][choice % len(ARGUMENTS[kind])] for kind in operation.operands)
        law(Request(operation, arguments, execution(b"./tmp.aBcDeF", envp=(b"A=1",))))


def law(asked: Request) -> None:
    made, domain = policy("file read/getattr /other", "file execute /other", mode=Mode.LEARNING)
    before = [print_acl(entry) for entry in domain.entries]
    result = learn(made, domain, asked, RULES)
    made.forced_mode = Mode.ENFORCING

    assert result.added is not None
    assert decide(made, domain, asked).granted
    assert result.added == parse_acl(print_acl(result.added))
    delete_entry(domain, result.added)
    assert not decide(made, domain, asked).granted
    assert before == [print_acl(entry) for entry in domain.entries]


@settings(max_examples=150, deadline=None)
@given(requests)
def test_what_was_learned_is_granted(asked: Request) -> None:
    law(asked)


@given(st.binary(min_size=1, max_size=20).filter(lambda raw: b"\0" not in raw), st.text("ab@/\\", min_size=1))
def test_any_program_and_target_can_be_learned(argument: bytes, target: str) -> None:
    law(request("file execute /a", execution(argument)))
    law(request("file symlink /a", facts(symlink_target=target.replace("\\", "\\\\"))))


@settings(max_examples=100, deadline=None)
@given(st.lists(requests, max_size=12))
def test_nothing_learned_earlier_is_lost(asked: list[Request]) -> None:
    made, domain = policy(mode=Mode.LEARNING)
    for one in asked:
        if not decide(made, domain, one).granted:
            learn(made, domain, one, RULES)
    made.forced_mode = Mode.ENFORCING

    assert all(decide(made, domain, one).granted for one in asked)


def test_operations_on_one_name_share_an_entry() -> None:
    made, domain = policy(mode=Mode.LEARNING)
    for text in ("file getattr /a", "file read /a"):
        learn(made, domain, request(text), RULES)

    assert ["file read/getattr /a"] == [print_acl(entry) for entry in domain.entries]


@pytest.mark.parametrize(
    ("asked", "learned"),
    [
        ("ipc signal 15 <kernel> /tmp/tmp.aBcDeF /b", "ipc signal 15 <kernel> /tmp/tmp.aBcDeF /b"),
        ("ipc get_descriptor <kernel> proc:/7/exe", "ipc get_descriptor <kernel> proc:/7/exe"),
        ("capability SYS_TIME", "capability SYS_TIME"),
        ("network inet stream accept 10.0.0.1 40000", "network inet stream accept 10.0.0.1 32768-60999"),
        ("network inet raw recv 10.0.0.1 40000", "network inet raw recv 10.0.0.1 40000"),
        ("network unix dgram recv /tmp/tmp.aBcDeF", "network unix dgram recv /tmp/tmp.\\?\\?\\?\\?\\?\\?"),
    ],
)
def test_only_file_names_and_ports_are_generalised(asked: str, learned: str) -> None:
    made, domain = policy(mode=Mode.LEARNING)
    learn(made, domain, request(asked), RULES)

    assert [learned] == [print_acl(entry) for entry in domain.entries]


def test_what_was_learned_of_a_domain_is_granted_below_it_too() -> None:
    made, domain = policy(mode=Mode.LEARNING)
    learn(made, domain, request("ipc signal 15 <kernel> /a"), RULES)

    assert decide(made, domain, request("ipc signal 15 <kernel> /a /b")).granted
    assert not decide(made, domain, request("ipc signal 15 <kernel>")).granted


_NEVER = [keyword for keyword in OPERATIONS if keyword.startswith("task")]


@pytest.mark.parametrize("asked", [*(f"{keyword} <kernel> /a" for keyword in _NEVER), "misc env "])
def test_what_is_never_learned(asked: str) -> None:
    made, domain = policy(mode=Mode.LEARNING)

    assert learn(made, domain, request(asked), RULES).added is None
    assert [] == domain.entries


def fill(*lines: str, quota: int) -> tuple[Policy, Domain]:
    made, domain = policy(*lines, mode=Mode.LEARNING)
    made.namespaces["<kernel>"].profiles[3].max_learning_entry = quota
    return made, domain


def test_the_quota_counts_permissions() -> None:
    made, domain = fill("file read/write /a", "task manual_domain_transition <kernel> /x", quota=3)

    assert learn(made, domain, request("file getattr /a"), RULES).added is not None
    result = learn(made, domain, request("file unlink /a"), RULES)
    assert (None, True, True) == (result.added, result.quota_exceeded_now, domain.quota_exceeded)


def test_the_quota_is_told_once_until_its_flag_is_deleted() -> None:
    made, domain = fill(quota=0)

    assert learn(made, domain, request("file read /a"), RULES).quota_exceeded_now
    assert not learn(made, domain, request("file read /a"), RULES).quota_exceeded_now
    domain.quota_exceeded = False
    assert learn(made, domain, request("file read /a"), RULES).quota_exceeded_now


def test_entries_of_groups_do_not_count() -> None:
    made, domain = policy(mode=Mode.LEARNING, groups={0: ["file read /a", "file read /b"]})
    made.namespaces["<kernel>"].profiles[3].max_learning_entry = 1

    assert learn(made, domain, request("file read /c"), RULES).added is not None


def test_a_deleted_entry_makes_room() -> None:
    made, domain = fill("file read /a", quota=1)
    delete_entry(domain, parse_acl("file read /a"))

    assert learn(made, domain, request("file read /b"), RULES).added is not None


@pytest.mark.parametrize(
    ("condition", "about"),
    [
        ("task.uid=1000", facts()),
        ("path1.perm=owner_read", facts(path1=inode())),
        ("exec.argc=1", execution(b"x")),
        ('exec.envp["A"]="1"', execution(b"x", envp=(b"A=1",))),
    ],
)
def test_learning_adds_beside_an_entry_whose_condition_fails(condition: str, about: Facts) -> None:
    made, domain = policy(f"file execute /a {condition.replace('=', '!=', 1)}", mode=Mode.LEARNING)
    asked = request("file execute /a", about)
    assert not decide(made, domain, asked).granted
    learn(made, domain, asked, RULES)

    assert decide(made, domain, asked).granted
    add_entry(domain, parse_acl("file execute /b"))
    assert len(domain.entries) == 3
