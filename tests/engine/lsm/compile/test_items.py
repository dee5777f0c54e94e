"""Entries as items: what is tested, and what they say besides."""

from __future__ import annotations

import pytest

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.interning import Ids
from sekisho.engine.lsm.compile.items import Item, ItemMaker, bits, leading, mark_blocked, members_of
from sekisho.engine.lsm.compile.regions import Cells, Places
from sekisho.engine.lsm.compile.rows import Body
from sekisho.policy.acl import parse_acl
from sekisho.policy.grammar import OPERATIONS
from sekisho.policy.model import Name, Namespace
from sekisho.policy.numbers import canonical_number


@pytest.fixture
def ids() -> Ids:
    return Ids()


@pytest.fixture
def maker(ids: Ids) -> ItemMaker:
    namespace = Namespace("<kernel>", number_groups={"N": [canonical_number("1"), canonical_number("3")]})
    namespace.path_groups = {"ONE": [Name("/x")], "TWO": [Name("/x"), Name("/\\*"), Name("/x")]}
    return ItemMaker(namespace, ids, Body(), Places(Cells()))


def made(maker: ItemMaker, line: str) -> Item:
    item = maker.make(0, parse_acl(line))
    assert item is not None
    return item


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("file read /a", []),
        ("file create /a 0644", [layout.TEST_NUMBER]),
        ("file create /a 0-0xFFFFFFFFFFFFFFFF", []),
        ("file create /a @N", [layout.TEST_RANGES]),
        ("file rename /a /b", [layout.TEST_NAME]),
        ("file rename /a @ONE", [layout.TEST_NAME]),
        ("file rename /a @TWO", [layout.TEST_AUTOMATON]),
        ("file mount @NONE /a ext4 1", [layout.TEST_AUTOMATON, layout.TEST_AUTOMATON, layout.TEST_NUMBER]),
        ("network inet stream bind ::1 0-65535", []),
        ("network inet stream bind ::1 1-65535", [layout.TEST_NUMBER]),
        ("ipc signal 9 <kernel>", [layout.TEST_NUMBER]),
        ("capability use_bpf", []),
    ],
)
def test_operands_that_do_not_lead_are_tested(maker: ItemMaker, line: str, kinds: list[int]) -> None:
    item = made(maker, line)

    assert kinds == [test.kind for test in item.tests]
    assert item.open is not bool(kinds)


@pytest.mark.parametrize("line", ["file rename /a @NONE", "file read /a 1=2", "file create /a @NONE"])
def test_an_entry_that_never_grants_is_none(maker: ItemMaker, line: str) -> None:
    assert maker.make(0, parse_acl(line)) is None


def test_what_an_entry_says_besides(maker: ItemMaker, ids: Ids) -> None:
    child = made(maker, 'file read /a grant_log=yes auto_domain_transition="/b"')
    domain = made(maker, 'file read /a grant_log=no auto_domain_transition="<kernel> /b"')

    assert (layout.RULE_LOG | layout.RULE_MOVE_CHILD, ids.name(b"/b", layout.SPACE_NAME)) == (child.flags, child.move)
    assert (layout.RULE_NO_LOG | layout.RULE_MOVE_DOMAIN, ids.domain("<kernel> /b")) == (domain.flags, domain.move)
    assert child.special
    assert not made(maker, "file mount /a /b ext4 1").special


@pytest.mark.parametrize(
    ("word", "preference"),
    [("", layout.PREFER_NONE), ("keep", layout.PREFER_KEEP), ("parent", layout.PREFER_PARENT)],
)
def test_where_a_program_goes(maker: ItemMaker, ids: Ids, word: str, preference: int) -> None:
    def preferred(word: str) -> tuple[int, int]:
        item = made(maker, f"file execute /a {word}")
        return item.preference, item.target

    assert (preference, 0) == preferred(word)
    assert (layout.PREFER_DOMAIN, ids.domain("<kernel> /b")) == preferred("<kernel> /b")
    assert (layout.PREFER_PATH, ids.name(rb"/\*", layout.SPACE_TEXT)) == preferred("/\\*")


def test_a_pair_is_one_thing_to_test(maker: ItemMaker, ids: Ids) -> None:
    lines = [
        "file create /a 7",
        "file rename /a /b",
        "file create /a 7 task.uid=0",
        "file mkchar /a 1 0-9 7",
        "file read /a",
    ]

    assert [7, ids.name(b"/b", layout.SPACE_NAME), None, None, None] == [made(maker, line).pair for line in lines]


def test_an_item_guarded_by_a_word_is_for_names_that_match_it(maker: ItemMaker) -> None:
    guarded = maker.guarded(made(maker, "file create /\\* 7"), "/\\*")
    assert guarded is not None

    assert [(layout.TEST_NUMBER, 1), (layout.TEST_AUTOMATON, 0)] == [(row.kind, row.operand) for row in guarded.tests]
    assert guarded.word == "/\\*"
    assert not guarded.open
    assert maker.guarded(made(maker, "file mkchar /\\* 1 2 3"), "/\\*") is None


def test_what_leads() -> None:
    assert [0, 1, 0, 1, 0, None] == [
        leading(OPERATIONS[keyword])
        for keyword in ("file read", "file mount", "file rename", "ipc signal", "ipc ptrace", "capability use_bpf")
    ]


def test_members_come_once_in_order() -> None:
    namespace = Namespace("<kernel>", path_groups={"G": [Name("/b"), Name("/a"), Name("/b")]})

    assert ["/b", "/a"] == members_of(Name("@G", "G"), namespace)
    assert [] == members_of(Name("@H", "H"), namespace)
    assert ["/a"] == members_of(Name("/a"), namespace)


def test_items_know_what_says_more_before_them(maker: ItemMaker) -> None:
    items = [made(maker, line) for line in ("file read /a", "file read /b grant_log=no", "file read/write /c")]
    mark_blocked(items)

    assert [0, 0, bits(items[0].source)] == [item.blocked for item in items]
