"""Any text of any kind: it is parsed, or refused with errors that point into it; what is parsed prints, and again."""

from __future__ import annotations

from collections.abc import Callable

from fuzz.vocabulary import TODAY, golden

from sekisho.errors import PolicyError
from sekisho.learn.rewrite import DEFAULT_REWRITE, RewriteRules
from sekisho.policy.model import Policy
from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_manager, parse_profile
from sekisho.policy.printer import print_domain_policy, print_exception_policy, print_manager, print_profile
from sekisho.policy.stat import parse_stat, print_stat

WORDS = (*TODAY, "name ", "chance ", "port ", "Policy update:", "(Last: 2026/11/22 22:53:03)", "Memory used by policy:")

_KINDS: tuple[tuple[Callable[..., None], Callable[[Policy], str]], ...] = (
    (parse_domain_policy, print_domain_policy),
    (parse_exception_policy, print_exception_policy),
    (parse_profile, print_profile),
    (parse_manager, print_manager),
)
_NAMES = ("domain_policy", "exception_policy", "profile", "manager")
SEEDS = (
    *(bytes([number]) + text for number, kind in enumerate(_NAMES) for text in golden(kind)),
    b"\x04Policy update:                                 5 (Last: 2026/11/22 22:53:03)\n",
    b"\x05" + DEFAULT_REWRITE.encode("ascii"),
)


def one(data: bytes) -> None:
    """The first byte chooses the kind of text."""
    kind, text = data[:1], data[1:].decode("ascii", "surrogateescape")
    number = kind[0] % 6 if kind else 0
    try:
        if number < 4:
            _policy(number, text)
        elif number == 4:
            statistics = parse_stat(text)
            assert parse_stat(print_stat(statistics)) == statistics
        else:
            rules = RewriteRules.parse(text, "rewrite.conf")
            assert rules.name("/") == "/"
    except PolicyError as error:
        check_errors(error, text)


def check_errors(error: PolicyError, text: str) -> None:
    """Every error points at a place of the text, in order, and can be told."""
    lines = text.split("\n")
    for each in error.all:
        assert 1 <= each.line <= max(len(lines), len(text.splitlines())), each
        assert each.column >= 1, each
        assert str(each).encode("utf-8", "surrogateescape")
    assert [each.line for each in error.all] == sorted(each.line for each in error.all)


def _policy(number: int, text: str) -> None:
    parse, write = _KINDS[number]
    policy = Policy()
    empty = write(policy)
    try:
        parse(text, policy, source="f")
    except PolicyError:
        assert write(policy) == empty
        raise
    printed = write(policy)
    again = Policy()
    parse(printed, again, source="printed")
    assert write(again) == printed
    parse(printed, policy, source="printed")
    assert write(policy) == printed
