"""Random policies and requests: the kernel's TOMOYO and Sekisho answer alike, audit records and all."""

from __future__ import annotations

import copy
import os
import random
from collections import Counter
from typing import Any

import pytest
from tests.vm.differences import decision_rules
from tests.vm.oracle import answered, keep, kept
from tests.vm.pairs import FAMILIES, batches
from tests.vm.replay import apart, counts, differences

SEED = 1
ALL = 106
"""Hundreds of requests."""


def compare(asked: list[dict[str, Any]], answers: list[dict[str, Any]]) -> Counter[str]:
    """How often each listed difference shows; there is no other."""
    found = Counter(each for pair in zip(asked, answers, strict=True) for each in differences(*pair))
    unlisted = [each for each in found if each not in decision_rules()]
    assert not unlisted, f"{len(unlisted)} differences, the first of them:\n" + "\n".join(unlisted[:5])
    return found


def test_recorded_answers_are_sekishos_too() -> None:
    pairs = kept("decisions")
    found = compare([batch for batch, _ in pairs], [answer for _, answer in pairs])

    asked: Counter[str] = Counter()
    granted: Counter[str] = Counter()
    for batch, answer in pairs:
        told = [each for each in zip(batch["requests"], answer["answers"], strict=True) if counts(*each)]
        asked[batch["family"]] += len(told)
        granted[batch["family"]] += sum(each["errno"] != 1 for _, each in told)
    assert asked.total() >= 10000
    assert set(FAMILIES) == set(asked)
    assert all(asked[family] * 0.05 < granted[family] < asked[family] * 0.95 for family in FAMILIES), granted
    assert set(decision_rules()) == set(found), "docs/differences.md lists a difference that doesn't show"


def test_a_wrong_answer_is_found() -> None:
    batch, answer = next(pair for pair in kept("decisions") if pair[0]["family"] == "files")
    for each in answer["answers"]:
        each["audit"] = [text.replace("granted=yes", "granted=no") for text in each["audit"]]

    with pytest.raises(AssertionError, match=r"differences, the first of them:\s+<kernel> /oracle/domain0: file "):
        compare([batch], [answer])


def told_twice(family: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A batch, and its recorded answers as if two engines had given them in one run."""
    batch, answer = next(pair for pair in kept("decisions") if pair[0]["family"] == family)
    for each in answer["answers"]:
        each["beside"] = [text.replace("mode=enforcing", "mode=permissive") for text in each["audit"]]
        if "domain" in each:
            each["domain_beside"] = each["domain"]
    ours = {"answers": [each | {"by_name_only": True} for each in copy.deepcopy(answer["answers"])]}
    return batch, ours | {"turned": answer}


@pytest.mark.parametrize("family", ["files", "execute", "network"])
def test_two_engines_that_say_the_same(family: str) -> None:
    assert {*apart(*told_twice(family))} <= {*decision_rules()}


def test_what_is_repeated_need_not_be_told_again() -> None:
    batch, answer = told_twice("execute")
    made = next(each for each in answer["answers"] if len(each["audit"]) > 1 and each["errno"] == 0)
    place = answer["answers"].index(made)
    made["audit"] = [text for text in made["audit"] if "\nuse_" in text]
    known = {*decision_rules()}

    assert {*differences(batch, answer)} - known
    batch["requests"].insert(0, batch["requests"][place])
    answer["answers"].insert(0, made | {"audit": []})
    assert {*differences(batch, answer)} <= known


def test_what_two_engines_say_otherwise_is_found() -> None:
    batch, answer = told_twice("execute")
    ours, kernel = answer["answers"], answer["turned"]["answers"]
    told = [place for place, each in enumerate(ours) if each["errno"] == 0 and each["audit"]]
    ours[told[0]]["errno"] = 1
    ours[told[1]]["domain"] = kernel[told[1]]["domain_beside"] = "<kernel> /elsewhere"
    ours[told[2]]["beside"] = []
    kernel[told[3]]["beside"] = [text.replace("granted=yes", "granted=no") for text in kernel[told[3]]["beside"]]

    found = [*apart(batch, answer)]
    assert [2, 4] == [sum(word in text for text in found) for word in ("\n  here: ", "\n  beside: ")]


@pytest.mark.slow
@pytest.mark.vm("6.12", "small")
def test_fresh_ones_are_answered_alike() -> None:
    seed = int(os.environ.get("ORACLE_SEED") or random.randrange(10**6))
    print(f"ORACLE_SEED={seed}")
    asked = batches(seed, 5)

    compare(asked, answered("6.12", asked, timeout=300))


@pytest.mark.oracle
@pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k, "small")) for k in ("6.12", "6.1")])
def test_all_are_answered_alike(kernel: str) -> None:
    asked = batches(SEED, ALL)
    answers = answered(kernel, asked, timeout=3000)
    compare(asked, answers)
    if kernel == "6.12" and os.environ.get("ORACLE_KEEP"):
        keep("decisions", list(zip(asked, answers, strict=True)))


def in_the_kernel(seed: int, hundreds: int) -> list[dict[str, Any]]:
    """Batches that the engine in the kernel can be asked about; it has no interface for processes that move by hand."""
    return [batch for batch in batches(seed, hundreds) if batch["family"] != "transitions"]


def compare_both(kernel: str, asked: list[dict[str, Any]], timeout: float) -> Counter[str]:
    """
    The kernel's TOMOYO and the engine in the kernel answer as each other and as the core in one run, each enforcing
    once. How many requests of which family were compared.
    """
    answers = answered(kernel, asked, timeout=timeout, enforcer="both")
    assert not compare(asked, answers)
    compare(asked, [answer["turned"] for answer in answers])
    found = [each for pair in zip(asked, answers, strict=True) for each in apart(*pair)]
    unlisted = [each for each in found if each not in decision_rules()]
    assert not unlisted, f"{len(unlisted)} differences, the first of them:\n" + "\n".join(unlisted[:5])
    return tally(asked, answers)


def tally(asked: list[dict[str, Any]], answers: list[dict[str, Any]]) -> Counter[str]:
    """How many requests both decided, by family and in all, and of how many the one that watched has records."""
    told: Counter[str] = Counter()
    for batch, answer in zip(asked, answers, strict=True):
        for request, ours, kernel in zip(
            batch["requests"], answer["answers"], answer["turned"]["answers"], strict=True
        ):
            told["asked"] += 1
            if counts(request, ours) and counts(request, kernel):
                told[batch["family"]] += 1
                told["decided"] += 1
                told["recorded"] += bool(ours["beside"])
    return told


@pytest.mark.every
@pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k, "small")) for k in ("6.12", "6.1", "6.18")])
def test_fresh_ones_are_answered_alike_in_the_kernel(kernel: str) -> None:
    seed = int(os.environ.get("ORACLE_SEED") or random.randrange(10**6))
    print(f"ORACLE_SEED={seed}")

    enough(compare_both(kernel, in_the_kernel(seed, 3), timeout=900))


@pytest.mark.oracle
@pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k, "small")) for k in ("6.12", "6.1", "6.18")])
def test_all_are_answered_alike_in_the_kernel(kernel: str) -> None:
    enough(compare_both(kernel, in_the_kernel(SEED, ALL), timeout=7200))


def enough(told: Counter[str]) -> None:
    """Most requests were decided, and nearly all of these have told of themselves twice."""
    print(dict(told))
    assert set(FAMILIES) - {"transitions"} < set(told)
    assert told["decided"] > told["asked"] * 0.8
    assert told["recorded"] > told["decided"] * 0.9
