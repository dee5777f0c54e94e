"""Real programs: the kernel's TOMOYO and each engine of Sekisho learn the same of the same run."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from tests.vm.differences import Rule, differences, one_by_one, rules
from tests.vm.oracle import keep, kept, learned
from tests.vm.programs import PROGRAMS

ORDINARY = 25
"""So many programs are compared at least."""


def compare(results: list[dict[str, Any]], engine: str) -> Counter[str]:
    """How often each rule explains a difference; there is none that isn't explained."""
    explained: Counter[str] = Counter()
    unlisted = []
    for result in results:
        if result["status"] != 0:
            unlisted.append(f"{result['name']} ended with {result['status']}:\n{result.get('output')}")
            continue
        for each in differences(result["kernel"], result["sekisho"], engine):
            explained[each.rule or ""] += 1
            if each.rule is None:
                unlisted.append(f"{result['name']}: {each.domain}: only {each.which} has {each.entry}")
    assert not unlisted, "not in docs/differences.md:\n" + "\n".join(unlisted)
    return explained


def test_recorded_policies_are_alike() -> None:
    results = kept("programs")
    explained = compare(results, "supervisor")

    assert {program.name for program in PROGRAMS} == {result["name"] for result in results}
    assert len(results) > ORDINARY
    assert all(sum(map(len, result["kernel"].values())) > 20 for result in results)
    assert {rule.name for rule in rules("supervisor")} == set(explained), (
        "docs/differences.md lists a difference that doesn't show"
    )


def test_an_unlisted_difference_is_found() -> None:
    [result] = [each for each in kept("programs") if each["name"] == "shell-scripts"]
    name = next(iter(result["kernel"]))
    result["kernel"][name].append("file read /nobody/read/this")

    with pytest.raises(AssertionError, match=f"shell-scripts: {name}: only kernel has file read /nobody/read/this"):
        compare([result], "supervisor")


def test_joined_operations_are_taken_apart() -> None:
    lines = ["file read/getattr /a task.uid=0", "network inet stream bind/listen ::1 80", "use_profile 1", "misc env A"]

    assert {
        "file read /a task.uid=0", "file getattr /a task.uid=0", "network inet stream bind ::1 80",
        "network inet stream listen ::1 80", "use_profile 1", "misc env A",
    } == one_by_one(lines)  # fmt: skip


@pytest.mark.parametrize(
    ("which", "entry", "others", "covered"),
    [
        ("sekisho", "network inet stream bind :: 53", ["network inet dgram bind :: 53"], True),
        ("sekisho", "network inet stream bind :: 53", ["network inet dgram bind :: 54"], False),
        ("sekisho", "network inet stream bind :: 53", ["network inet stream bind :: 53"], False),
        ("kernel", "network inet stream bind :: 53", ["network inet dgram bind :: 53"], False),
    ],
)
def test_a_rule_covers_what_it_says(which: str, entry: str, others: list[str], covered: bool) -> None:
    [rule] = [rule for rule in rules("supervisor") if rule.name == "protocol"]

    assert isinstance(rule, Rule)
    assert covered is rule.covers(which, entry, others)


def test_what_is_executed_by_descriptor_is_compared_by_its_file() -> None:
    """The kernel calls two descriptors of one file two programs."""
    first, program, uses = "<kernel> /first", "<kernel> /first /a", ["use_profile 0", "use_group 0"]
    called = [f'file execute proc:/self/fd/{number} exec.realpath="/a" exec.argv[0]="x"' for number in (3, 4)]
    below = {f"{first} proc:/self/fd/3": [*uses, "file read /x"], f"{first} proc:/self/fd/4 /b": uses}
    ours = "".join(
        "\n".join([name, *uses, line, "\n"])
        for name, line in ((first, 'file execute /a exec.realpath="/a" exec.argv[0]="x"'), (program, "file read /x"))
    )

    found = [*differences({first: [*uses, *called], **below}, ours, "system")]
    assert [(first, line, "by-descriptor") for line in called] == [(e.domain, e.entry, e.rule) for e in found[:2]]
    assert {(f"{program} /b", "kernel", None)} == {(each.domain, each.which, each.rule) for each in found[2:]}


def test_a_rule_about_one_engine_says_nothing_of_another() -> None:
    about_each = {rule.name for rule in rules("none")}

    assert about_each < {rule.name for rule in rules("supervisor")}
    assert all(rule.engine in ("each", "system") for rule in rules("system"))


@pytest.mark.slow
@pytest.mark.vm("6.12", "small")
def test_some_programs_are_learned_alike() -> None:
    quick = [each for each in PROGRAMS if each.quick]
    compare(learned("6.12", quick, full=False, timeout=600), "supervisor")


@pytest.mark.slow
@pytest.mark.vm("6.12", "small")
def test_some_programs_are_learned_alike_in_the_kernel() -> None:
    quick = [each for each in PROGRAMS if each.quick]
    compare(learned("6.12", quick, full=False, timeout=600, engine="system"), "system")


@pytest.mark.oracle
@pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k, "full")) for k in ("6.12", "6.1")])
def test_all_programs_are_learned_alike(kernel: str) -> None:
    results = learned(kernel, PROGRAMS, full=True, timeout=7200)
    if kernel == "6.12" and os.environ.get("ORACLE_KEEP"):
        keep("programs", results)
    compare(results, "supervisor")


@pytest.mark.oracle
@pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k, "full")) for k in ("6.12", "6.1", "6.18")])
def test_all_programs_are_learned_alike_in_the_kernel(kernel: str) -> None:
    compare(learned(kernel, PROGRAMS, full=True, timeout=7200, engine="system"), "system")
