from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interface.stage import MANAGER, STRANGER, Stage, read, write

from sekisho.interface.domain_policy import domain_text
from sekisho.policy.edit import delete_domain
from sekisho.policy.model import Domain
from sekisho.policy.parser import parse_domain_policy
from sekisho.policy.printer import print_domain, print_domain_policy

START = """\
<kernel> /a
use_profile 1
use_group 7

file execute/read /x
file write /y
task manual_domain_transition <z>
"""


@pytest.mark.parametrize(
    ("lines", "expected", "changes"),
    [
        ("<kernel> /b\n", {"<kernel> /b": "use_profile 0\n\n"}, 1),
        ("<kernel> /a\n", {}, 1),
        ("<kernel>  /a\t\n", {}, 1),
        ("<other>\n", {"<other>": "use_profile 0\n\n"}, 1),
        ("select <kernel> /b\nuse_profile 3\n", {}, 0),
        ("select <kernel> /a\nfile read /new\n", {"<kernel> /a": START.split("\n", 1)[1] + "file read /new\n"}, 1),
        ("file read /new\n", {}, 0),
        ("<kernel> /a b\nfile read /new\n", {}, 0),
        ("<kernel> /a\nselect <kernel> /none\nfile read /new\n", {}, 1),
        ("<kernel> /a\ndelete <kernel> /b\nfile read /new\n", {}, 1),
        ("delete <kernel> /a\n", {"<kernel> /a": None}, 1),
        ("delete <kernel> /b\n", {}, 0),
        ("delete <kernel>\n", {}, 0),
        ("<kernel> /b\nuse_profile 3\n", {"<kernel> /b": "use_profile 3\n\n"}, 2),
        ("<kernel> /b\nuse_profile 2\n", {"<kernel> /b": "use_profile 0\n\n"}, 1),
        ("<kernel> /b\nuse_profile 300\n", {"<kernel> /b": "use_profile 0\n\n"}, 1),
        ("<kernel> /b\ndelete use_profile 3\n", {"<kernel> /b": "use_profile 0\n\n"}, 1),
        ("<kernel> /b\nuse_profile 3 and more\n", {"<kernel> /b": "use_profile 3\n\n"}, 2),
        ("<kernel> /b\nuse_group 5\nuse_group 2\n", {"<kernel> /b": "use_profile 0\nuse_group 2\nuse_group 5\n\n"}, 3),
        ("<kernel> /b\nuse_group 256\n", {"<kernel> /b": "use_profile 0\n\n"}, 1),
        ("<kernel> /b\nuse_group 5\ndelete use_group 5\n", {"<kernel> /b": "use_profile 0\n\n"}, 3),
        ("<kernel> /b\nquota_exceeded\n", {"<kernel> /b": "use_profile 0\nquota_exceeded\n\n"}, 2),
        (
            "<kernel> /b\ntransition_failed\nquota_exceeded\ndelete quota_exceeded\n",
            {"<kernel> /b": "use_profile 0\ntransition_failed\n\n"}, 4,
        ),
        ("<kernel> /b\nfile write /w\nfile read /w\n", {"<kernel> /b": "use_profile 0\n\nfile read/write /w\n"}, 3),
        ("<kernel> /b\nfile read /w\nfile read /w\n", {"<kernel> /b": "use_profile 0\n\nfile read /w\n"}, 3),
        ("<kernel> /b\nfile read/write /w\ndelete file read /w\n",
         {"<kernel> /b": "use_profile 0\n\nfile write /w\n"}, 3),
        ("<kernel> /b\ndelete file read /w\n", {"<kernel> /b": "use_profile 0\n\n"}, 1),
        ("<kernel> /b\nfile read\nfile frobnicate /x\nfile read /a b=c=d\nfile read ..\\q\n",
         {"<kernel> /b": "use_profile 0\n\n"}, 1),
        ("<kernel> /b\nfile mkdir /d/ 0755\n", {"<kernel> /b": "use_profile 0\n\nfile mkdir /d/ 0755\n"}, 2),
    ],
)  # fmt: skip
def test_commands(lines: str, expected: dict[str, str | None], changes: int) -> None:
    stage = Stage().holds(START)
    write(stage.open("domain_policy"), lines)

    texts = {name: print_domain(domain).partition("\n")[2][:-1] for name, domain in stage.policy.domains.items()}
    before = {"<kernel>": "use_profile 0\n\n", "<kernel> /a": START.partition("\n")[2]}
    wanted = {name: text for name, text in (before | expected).items() if text is not None}
    assert wanted == texts
    assert changes == stage.changes


def test_before_activation_profiles_need_not_be_there() -> None:
    stage = Stage()
    stage.active = False
    write(stage.open("domain_policy"), "<kernel> /b\nuse_profile 200\n", STRANGER)

    assert stage.policy.domains["<kernel> /b"].profile == 200


def test_a_profile_that_is_set_holds_whatever_mode_the_run_was_started_in() -> None:
    stage = Stage().holds(START)
    write(stage.open("domain_policy"), "<kernel> /a\nuse_profile 3\n")

    assert stage.policy.domains["<kernel> /a"].chosen


def test_reading_gives_all_domains_in_order_of_creation() -> None:
    stage = Stage().holds(START + "<kernel> /0\n")
    delete_domain(stage.policy, "<kernel> /a")
    parse_domain_policy("<kernel> /9\n<kernel> /a\n", stage.policy)

    text = read(stage.open("domain_policy"))
    assert text == print_domain_policy(stage.policy)
    assert [line for line in text.splitlines() if line[:1] == "<"] == [
        "<kernel>", "<kernel> /0", "<kernel> /9", "<kernel> /a"
    ]  # fmt: skip


BODY = print_domain(Stage().holds(START).policy.domains["<kernel> /a"])


@pytest.mark.parametrize("caller", [MANAGER, STRANGER])
@pytest.mark.parametrize(
    ("argument", "body"),
    [
        ("pid=20", BODY),
        ("global-pid=20", BODY),
        ("pid=21", "# This is a deleted domain.\n<kernel> /gone\nuse_profile 0\n\n\n"),
        ("pid=22", ""),
        ("pid=4294967296000", ""),
        ("domain=<kernel> /a", BODY),
        ("domain=<kernel> /gone", ""),
        ("domain=nonsense", ""),
        ("Q=5", BODY),
        ("Q=6", ""),
    ],
)
def test_one_domain_can_be_looked_up_by_anybody(argument: str, body: str, caller: object) -> None:
    stage = Stage().holds(START)
    stage.put(20, "<kernel> /a")
    stage.put(21, "<kernel> /gone")
    delete_domain(stage.policy, "<kernel> /gone")
    stage.questions.ask(5, "file read /x", stage.policy.domains["<kernel> /a"])
    handle = stage.open("domain_policy")
    write(handle, f"select {argument}\n", caller)  # type: ignore[arg-type]
    assert f"# select {argument}\n{body}" == read(handle)
    assert read(handle) == ""
    write(handle, f"select {argument}\n", STRANGER)
    assert f"# select {argument}\n{body}" == read(handle, size=3)
    write(handle, "reset\n", STRANGER)
    assert read(handle) == print_domain_policy(stage.policy)


def test_what_was_looked_up_is_written_to_even_if_it_is_deleted() -> None:
    stage = Stage().holds(START)
    old = stage.put(20, "<kernel> /a")
    handle = stage.open("domain_policy", readable=False)
    write(handle, "select pid=20\n")
    delete_domain(stage.policy, "<kernel> /a")
    write(stage.open("domain_policy"), "<kernel> /a\n")
    write(handle, "file read /new\n")

    assert "file read /new" in print_domain(old)
    assert "file read /new" not in print_domain(stage.policy.domains["<kernel> /a"])


def test_looking_up_nothing_writes_to_nothing() -> None:
    stage = Stage().holds(START)
    handle = stage.open("domain_policy")
    write(handle, "<kernel> /a\nselect pid=77\nfile read /new\n")

    assert "/new" not in print_domain_policy(stage.policy)


def test_who_only_writes_is_shown_nothing_else_afterwards() -> None:
    stage = Stage().holds(START)
    handle = stage.open("domain_policy", readable=False)
    write(handle, "select domain=<kernel> /a\nuse_profile 3\n")

    assert stage.policy.domains["<kernel> /a"].profile == 3


def test_transitions_only() -> None:
    stage = Stage().holds(START)
    handle = stage.open("domain_policy")
    write(handle, "select transition_only\n", STRANGER)
    expected = "<kernel> /a\nuse_profile 1\nuse_group 7\n\nfile execute /x\ntask manual_domain_transition <z>\n\n"

    assert read(handle) == "<kernel>\nuse_profile 0\n\n\n" + expected
    write(handle, "select domain=<kernel> /a\n", STRANGER)
    assert read(handle) == "# select domain=<kernel> /a\n" + BODY
    write(handle, "select transition_only\nreset\n", STRANGER)
    assert read(handle) == print_domain_policy(stage.policy)


def test_a_quota_of_memory_stops_additions_only() -> None:
    stage = Stage().holds(START)
    write(stage.open("stat"), "Memory used by policy: 1\n")
    before = stage.changes
    write(
        stage.open("domain_policy"), "<kernel> /b\n<kernel> /a\nfile read /new\ndelete file write /y\nuse_profile 3\n"
    )

    text = print_domain_policy(stage.policy)
    assert ("/new" in text, "/y" in text, "<kernel> /b" in text, "use_profile 3" in text) == (False, False, False, True)
    assert stage.changes == before + 3


SIZES = st.lists(st.sampled_from([0, 1, 2, 255, 256, 300]), max_size=5)


@given(SIZES, st.integers(300, 4000), st.randoms(use_true_random=False))
def test_a_slow_reader_misses_nothing_and_sees_nothing_twice(sizes: list[int], at_once: int, random: Random) -> None:
    """Whatever is added and deleted between two reads: what was there all along is read exactly once."""
    texts = [f"<kernel> /d{at}\n" + "".join(f"file read /{n}\n" for n in range(size)) for at, size in enumerate(sizes)]
    stage = Stage().holds("".join(texts))
    handle, writer = stage.open("domain_policy"), stage.open("domain_policy")
    gone = {at for at in range(len(sizes)) if random.random() < 0.2}
    text, turn = b"", 0
    while piece := handle.read(MANAGER, at_once):
        text += piece
        turn += 1
        at = random.randrange(len(sizes) + 1)
        if at in gone:
            write(writer, f"delete <kernel> /d{at}\n")
        write(writer, f"<kernel> /new{turn}\nfile read /new\nselect <kernel> /d{at}\nfile read /new{turn}\n")
        write(writer, f"delete file read /new{turn}\n")

    names = [line for line in text.decode().splitlines() if line[:1] == "<"]
    assert len(names) == len(set(names))
    assert {"<kernel>", *(f"<kernel> /d{at}" for at in range(len(sizes)) if at not in gone)} <= set(names)
    for block in text.decode().split("<kernel> /d")[1:]:
        name, *lines = block.splitlines()
        entries = [line for line in lines if line.startswith("file read /") and "new" not in line]
        assert entries == [f"file read /{n}" for n in range(sizes[int(name)])]


@given(st.sampled_from([0, 1, 255, 256, 257, 600]), st.booleans(), st.booleans())
def test_in_pieces_a_domain_is_what_it_is_at_once(number: int, quota: bool, only: bool) -> None:
    domain = Domain("<kernel> /a", groups={3, 1}, quota_exceeded=quota)
    stage = Stage()
    stage.policy.domains[domain.name] = domain
    parse_domain_policy("<kernel> /a\n" + "".join(f"file read/execute /{n}\n" for n in range(number)), stage.policy)

    assert print_domain(domain, transition_only=only) == "".join(domain_text(domain, transition_only=only))
