from __future__ import annotations

import pytest
from tests.decide.support import facts, inode

from sekisho.decide.numbers import fetcher, in_group, parse_number, parse_range
from sekisho.policy.model import Namespace, Number


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("10", 10), ("010", 8), ("0x1f", 31), ("0XFF", 255), ("00", 0)])
def test_radix(text: str, value: int) -> None:
    assert parse_number(text) == value


def test_ranges_may_mix_radixes() -> None:
    assert parse_range("010-0x10") == (8, 16)
    assert parse_range("7") == (7, 7)


def test_a_group_is_hit_by_any_overlap() -> None:
    namespace = Namespace("<kernel>", number_groups={"G": [Number("10-20", 10, 20), Number("5", 5, 5)]})

    assert in_group(5, 5, "G", namespace)
    assert in_group(0, 10, "G", namespace)
    assert not in_group(6, 9, "G", namespace)
    assert not in_group(0, 99, "NONE", namespace)


def test_values_are_fetched_from_facts() -> None:
    assert fetcher("task.uid")(facts()) == (1000, 1000)
    assert fetcher("path1.perm")(facts(path1=inode(perm=0o600))) == (0o600, 0o600)
    assert fetcher("path1.perm")(facts()) is None
    assert fetcher("setuid")(facts()) == (0o4000, 0o4000)


@pytest.mark.parametrize("word", ["task.name", "path3.uid", "path1.parent.type", "path1", "exec.x"])
def test_unknown_operands_are_a_bug(word: str) -> None:
    with pytest.raises(ValueError, match="no such condition operand"):
        fetcher(word)
