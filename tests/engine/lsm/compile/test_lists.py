"""Whole lists: what isn't found by name or address, and the same tables for the same entries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engine.lsm.compile.support import Compiled, keywords

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile import regions
from sekisho.engine.lsm.compile.automaton import TooManyStates

_SCRIPT = """
from hashlib import sha256
from tests.engine.lsm.compile.test_lists import everything
print(sha256(repr(everything()).encode()).hexdigest())
"""


def everything() -> list[object]:
    """All that comes of a list with something of every kind in it."""
    made = Compiled(
        r"file read/write/unlink @G", r"file execute @H", r"file read /\* task.uid=@N path1.perm=setuid",
        r"file rename @G @H", "file create /a @N", "network inet stream connect @A @N", "file execute /a /b",
        "ipc signal @N <kernel> /a /b", "capability use_bpf grant_log=no", 'file read /a exec.realpath=@G',
        "task auto_domain_transition <kernel> /z task.uid=0",
        G=r"/a /b /\*\-a /tmp/\{\*\}/ /c", H=r"/\* /a /b /\$", N="1 5-9 3", A="10.0.0.1 10.0.0.7-10.0.1.0",
    )  # fmt: skip
    one = made.list
    rows = [*one.found.values(), *one.rules, *one.clauses, *one.ranges, *one.intervals, one.header]
    packed = [bytes(row) for row in rows]
    return [list(one.found), packed, one.pairs, one.endpoints, one.origins, made.ids.names, made.ids.domains]


@pytest.mark.parametrize("seed", ["0", "1", "12345"])
def test_the_same_entries_make_the_same_tables(repository: Path, seed: str) -> None:
    def digest(seed: str) -> str:
        paths = os.pathsep.join([str(repository / "src"), str(repository)])
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        return subprocess.run(
            [sys.executable, "-c", _SCRIPT], env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    assert digest(seed) == digest("7")


def test_capabilities_and_what_stands_by() -> None:
    made = Compiled(
        "capability use_bpf",
        "capability SYS_TIME task.uid=0",
        "task auto_domain_transition <kernel> /a task.uid=0",
        "task auto_execute_handler /h",
        "task auto_execute_handler /i",
    )
    header, rules = made.list.header, made.list.rules

    assert {"capability use_bpf"} == keywords(header.capabilities, layout.NONE)
    assert [1] == [rule.entry for rule in rules[header.capability_chain :][: header.capability_count]]
    standing = rules[header.standing_chain :][: header.standing_count]
    assert [(2, made.ids.domain("<kernel> /a"), 0), (3, 0, made.name("/h"))] == [
        (rule.entry, rule.target, rule.candidate) for rule in standing
    ]


def test_domains_are_found_by_their_ids() -> None:
    made = Compiled("ipc ptrace <kernel> /a", "ipc signal 9 <kernel> grant_log=no", "ipc signal 1-9 <kernel> /a")
    above, below = (layout.FOUND_DOMAIN | made.ids.domain(name) for name in ("<kernel>", "<kernel> /a"))

    assert {"ipc ptrace"} == keywords(made.found(below).plain, layout.DOMAIN)
    assert [1, 2] == [made.list.rules[made.found(each).chain].entry for each in (above, below)]
    assert {"ipc ptrace", "ipc signal"} == keywords(made.list.header.domains, layout.DOMAIN)


def test_what_says_more_of_a_domain_above_comes_before_what_is_plain() -> None:
    made = Compiled("ipc ptrace <kernel> grant_log=no", "ipc ptrace <kernel> /a")

    assert 0 == made.found(layout.FOUND_DOMAIN | made.ids.domain("<kernel> /a")).plain


def test_an_entry_that_is_too_large_grants_nothing_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(words: tuple[str, ...]) -> None:
        raise TooManyStates("too many")

    monkeypatch.setattr(regions, "automaton_of", refuse)
    made = Compiled("file read /a", 'file read /b exec.realpath="/x"', "file write /a")

    assert (1,) == made.list.incomplete
    assert {"file read", "file write"} == made.plain("/a")
    assert made.name("/b") not in made.list.found
