"""Lines of policy, right and wrong: what Sekisho takes, the kernel's TOMOYO takes and writes back alike."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest
from tests.vm.differences import text_rules
from tests.vm.oracle import keep, kept, printed
from tests.vm.texts import as_entry, as_exception, lines, unlike

SEED = 3
Answers = dict[str, list[list[str]]]


def compare(given: dict[str, list[str]], kernel: Answers) -> Counter[str]:
    """How often each listed difference shows; there is no other."""
    found: Counter[str] = Counter()
    unlisted = []
    for kind, read in (("entries", as_entry), ("exceptions", as_exception)):
        for line, there in zip(given[kind], kernel[kind], strict=True):
            here = read(line)
            rule = unlike(there, here)
            found[rule] += 1
            if rule and rule not in text_rules():
                unlisted.append(f"{line}\n  kernel: {there}\n  here: {here}")
    assert not unlisted, f"{len(unlisted)} differences, the first of them:\n" + "\n".join(unlisted[:5])
    return found


def test_recorded_lines_are_written_alike() -> None:
    given, kernel = kept("texts")
    found = compare(given, kernel)

    assert all(len(given[kind]) > 2500 for kind in given)
    refused = sum(not there for there in kernel["entries"])
    assert 0.2 < refused / len(kernel["entries"]) < 0.8
    assert set(text_rules()) == set(found) - {""}, "docs/differences.md lists a difference that doesn't show"


@pytest.mark.parametrize(
    ("kernel", "here", "rule"),
    [
        (["a"], ["a"], ""),
        ([], None, ""),
        (["a"], None, "wrong-lines"),
        ([], ["a"], "unlisted"),
        (["a"], ["b"], "unlisted"),
    ],
)
def test_what_counts_as_a_difference(kernel: list[str], here: list[str] | None, rule: str) -> None:
    assert rule == unlike(kernel, here)


@pytest.mark.slow
@pytest.mark.vm("6.12", "small")
def test_fresh_lines_are_written_alike() -> None:
    seed = int(os.environ.get("ORACLE_SEED") or random.randrange(10**6))
    print(f"ORACLE_SEED={seed}")
    given = lines(seed, 400)

    compare(given, printed("6.12", given, timeout=300))


@pytest.mark.oracle
@pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k, "small")) for k in ("6.12", "6.1")])
def test_all_lines_are_written_alike(kernel: str) -> None:
    given = lines(SEED, 3000)
    there = printed(kernel, given, timeout=3000)
    if kernel == "6.12" and os.environ.get("ORACLE_KEEP"):
        keep("texts", [given, there])
    compare(given, there)
