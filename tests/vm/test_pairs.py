"""Random policies and requests: the kernel's TOMOYO and Sekisho answer alike, audit records and all."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import pytest
from tests.vm.differences import decision_rules
from tests.vm.oracle import answered, keep, kept
from tests.vm.pairs import FAMILIES, batches
from tests.vm.replay import counts, differences

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


def system(seed: int, hundreds: int) -> list[dict[str, Any]]:
    """Batches that the engine in the kernel can be asked about; it has no interface for processes that move by hand."""
    return [batch for batch in batches(seed, hundreds) if batch["family"] != "transitions"]


def compare_system(kernel: str, asked: list[dict[str, Any]], timeout: float) -> None:
    """The engine in the kernel answers as the core does, as the kernel's TOMOYO above, but without exceptions."""
    answers = answered(kernel, asked, timeout=timeout, enforcer="system")
    assert not compare(asked, answers)
    told = [
        counts(*each)
        for batch, answer in zip(asked, answers, strict=True)
        for each in zip(batch["requests"], answer["answers"], strict=True)
    ]
    assert sum(told) > len(told) * 0.8, "most requests have to be decided"


@pytest.mark.every
@pytest.mark.vm("6.12", "small")
def test_fresh_ones_are_answered_alike_in_the_kernel() -> None:
    seed = int(os.environ.get("ORACLE_SEED") or random.randrange(10**6))
    print(f"ORACLE_SEED={seed}")

    compare_system("6.12", system(seed, 3), timeout=400)


@pytest.mark.oracle
@pytest.mark.parametrize("kernel", [pytest.param(k, marks=pytest.mark.vm(k, "small")) for k in ("6.12", "6.1", "6.18")])
def test_all_are_answered_alike_in_the_kernel(kernel: str) -> None:
    compare_system(kernel, system(SEED, ALL), timeout=5000)
