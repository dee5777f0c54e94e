"""What all text files have in common (spec g.1)."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interface.stage import MANAGER, STRANGER, Stage, read, write

from sekisho.interface.files import KINDS
from sekisho.interface.handle import LONGEST_LINE, normalise
from sekisho.policy.edit import ensure_namespace
from sekisho.policy.printer import print_domain_policy, print_exception_policy, print_profile

TEXTS = {
    "domain_policy": "<kernel> /bin/x\nuse_profile 1\nfile read /a\nnonsense\n\nfile write /a\ndelete file read /a\n"
    "<kernel> /bin/y\nuse_group 3\nselect <kernel> /bin/x\nquota_exceeded\ndelete <kernel> /bin/y\nuse_profile 3\n",
    "exception_policy": "path_group G /a\n<x> acl_group 1 file read /b\ndelete path_group G /a\n"
    "initialize_domain /x from any\nbad\n<bad\naggregator /a\\* /b\nacl_group 3 file execute /x\n",
    "profile": "5-COMMENT=five\n5-CONFIG={ mode=learning grant_log=no }\n<x> 5-CONFIG::file={ enforcing }\nrubbish\n",
    "manager": "/bin/a\n<kernel> /bin/b\ndelete /bin/a\nbad*\nmanage_by_non_root\n",
    "stat": "Memory used by audit log: 4096\nMemory used by policy: 1000000\n",
    ".process_status": "10\n11\n",
    "query": "A5=1\n\nA6=9\n",
}
"""What a manager may write to each file that can be written to."""


def state(stage: Stage) -> object:
    policy = stage.policy
    return (
        print_domain_policy(policy), print_exception_policy(policy), print_profile(policy), policy.managers,
        policy.manage_by_non_root, stage.statistics, stage.changes, stage.questions.answers, stage.questions.alive,
    )  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_the_same_however_a_text_is_cut(name: str) -> None:
    raw = TEXTS[name].encode("ascii")
    whole = Stage()
    whole.open(name).write(MANAGER, raw)
    for cut in range(len(raw) + 1):
        stage = Stage()
        handle = stage.open(name)
        assert cut == handle.write(MANAGER, raw[:cut])
        assert len(raw) - cut == handle.write(MANAGER, raw[cut:])

        assert state(whole) == state(stage), cut


@pytest.mark.parametrize("name", TEXTS)
@given(sizes=st.lists(st.integers(0, 9), min_size=1))
def test_it_is_the_same_in_pieces_of_any_sizes(name: str, sizes: list[int]) -> None:
    raw = TEXTS[name].encode("ascii")
    whole, stage = Stage(), Stage()
    whole.open(name).write(MANAGER, raw)
    handle, at = stage.open(name), 0
    while at < len(raw):
        for size in (*sizes, 1):
            handle.write(MANAGER, raw[at : at + size])
            at += size

    assert state(whole) == state(stage)


@pytest.mark.parametrize("name", KINDS)
@given(
    data=st.lists(st.binary() | st.sampled_from([b"\n", b"select ", b"delete ", b"<", b"use_profile ", b"A", b"1-"]))
)
def test_nothing_that_is_written_is_a_crash(name: str, data: list[bytes]) -> None:
    stage = Stage()
    handle = stage.open(name)
    for each in [b"".join(data), *data]:
        try:
            handle.write(MANAGER, each)
            handle.read(MANAGER, 100)
        except OSError as error:
            assert error.errno in (errno.EINVAL, errno.ENOENT, errno.ENOMEM)
    handle.close()


LINES = st.lists(
    st.sampled_from([line for text in TEXTS.values() for line in text.splitlines()])
    | st.builds(
        "{}{} {}".format,
        st.sampled_from(["", "delete ", "select "]),
        st.sampled_from(["<kernel>", "use_profile", "file read", "path_group", "3-CONFIG", "PROFILE_VERSION=", "A1="]),
        st.text(st.characters(codec="ascii"), max_size=12),
    )
)


@pytest.mark.parametrize("name", ["domain_policy", "exception_policy", "profile", "manager"])
@given(lines=LINES)
def test_what_is_read_can_be_written_and_gives_the_same(name: str, lines: list[str]) -> None:
    stage, copy = Stage(), Stage()
    write(stage.open(name), "".join(f"{line}\n" for line in lines if "\n" not in line))
    copy.policy.managers = []
    stage.policy.managers += ["/sbin/manager"] * ("/sbin/manager" not in stage.policy.managers)
    text = read(stage.open(name))
    copy.active = False
    write(copy.open(name), text)

    # A namespace that holds nothing isn't shown, but every line names its own as long as there is one.
    for each in (stage, copy):
        ensure_namespace(each.policy, "<more>")
    assert sorted(read(stage.open(name)).splitlines()) == sorted(read(copy.open(name)).splitlines())


@pytest.mark.parametrize("name", ["domain_policy", "exception_policy", "profile", "manager", "stat"])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_reads_go_on_where_the_last_one_stopped_until_reset(name: str, size: int) -> None:
    stage = Stage().holds("<kernel> /a\nfile read /a\nfile read /b\n", "path_group G /a\nacl_group 1 file read /a\n")
    handle = stage.open(name)
    whole = read(handle, size=65536)

    assert whole
    assert handle.read(MANAGER, 100) == b""
    write(handle, "reset\n", STRANGER)
    assert whole == read(handle, size=size)


@pytest.mark.parametrize("name", ["domain_policy", "exception_policy", "profile", "manager", "stat", "query"])
def test_a_stranger_is_stopped_at_the_line(name: str) -> None:
    stage = Stage()
    handle = stage.open(name)
    before = state(stage)

    with pytest.raises(PermissionError):
        handle.write(STRANGER, TEXTS[name].encode("ascii"))

    assert before == state(stage)
    assert stage.said == ["<kernel> ( /bin/sh ) is not permitted to update policies."]


def test_what_came_before_the_line_that_was_refused_is_done() -> None:
    stage = Stage()
    handle = stage.open("manager")
    with pytest.raises(PermissionError):
        handle.write(MANAGER, b"/bin/new\ndelete /sbin/manager\n/bin/late\n/bin/later\n/bin/tai")
    stage.policy.managers.append("/sbin/manager")
    write(handle, "l\n")

    # What followed the line, its unfinished end too, is forgotten.
    assert stage.policy.managers == ["/bin/new", "/sbin/manager"]
    assert stage.changes == 2


@pytest.mark.parametrize("name", [name for name in KINDS if name != "self_domain"])
def test_writing_nothing_is_nothing(name: str) -> None:
    stage = Stage()
    handle = stage.open(name)
    if name in ("audit", "version", ".tree"):
        with pytest.raises(OSError, match="Invalid argument"):
            handle.write(MANAGER, b"")
    else:
        assert handle.write(STRANGER, b"") == 0


def test_a_line_without_end_is_refused_before_it_takes_all_memory() -> None:
    handle = Stage().open("domain_policy")
    with pytest.raises(OSError, match="Cannot allocate memory"):
        for _ in range(LONGEST_LINE // 1000 + 1):
            handle.write(MANAGER, b"x" * 1000)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"", ""),
        (b"  file\t read \x00\x01 /a  \r", "file read /a"),
        (b"\xff\xfefile\x7fread\x80/a", "file read /a"),
        (b"~!", "~!"),
    ],
)
def test_blanks_and_what_is_no_text_separate_words(raw: bytes, line: str) -> None:
    assert line == normalise(raw)


def test_each_open_file_has_a_state_of_its_own() -> None:
    stage = Stage().holds("<kernel> /a\n<kernel> /b\n")
    first, second = stage.open("domain_policy"), stage.open("domain_policy")
    write(first, "select <kernel> /a\nfile read /fi")
    write(second, "select <kernel> /b\nfile read /sec")
    write(first, "rst\n")
    write(second, "ond\n")

    assert "<kernel> /a\nuse_profile 0\n\nfile read /first\n" in print_domain_policy(stage.policy)
    assert "<kernel> /b\nuse_profile 0\n\nfile read /second\n" in print_domain_policy(stage.policy)
