from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.decide.strategies import members

from sekisho.decide.buckets import Buckets
from sekisho.names.pattern import compile_pattern

NAMES = ["/a", "/tmp/a", "/tmp/ab", "/tmp/a/b", "/tmp/", "/c"]


@given(st.lists(members, max_size=10), st.sets(st.integers(0, 9)), st.sampled_from(NAMES))
def test_finds_what_a_scan_finds(words: list[str], removed: set[int], name: str) -> None:
    buckets: Buckets[str] = Buckets()
    for serial, word in enumerate(words):
        buckets.add(word, serial, word)
    for serial in removed:
        if serial < len(words):
            buckets.remove(words[serial], serial)
    left = [(serial, word) for serial, word in enumerate(words) if serial not in removed]
    matching = [item for item in left if compile_pattern(item[1]).matches(name)]

    assert (matching[0][1] if matching else None) == buckets.first(name)
    assert matching == sorted([*buckets.literals.get(name, []), *buckets.patterns(name)])
    assert buckets.patterned is any(compile_pattern(word).is_pattern for _, word in left)


def test_patterns_after_a_serial_are_left_out() -> None:
    buckets: Buckets[int] = Buckets()
    buckets.add("/\\*", 1, 1)
    buckets.add("/a\\*", 5, 5)

    assert buckets.patterns("/a", before=5) == [(1, 1)]
