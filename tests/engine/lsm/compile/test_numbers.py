"""Numbers as ranges that neither overlap nor touch."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sekisho.engine.lsm.compile.numbers import group_ranges, merged, ranges_of
from sekisho.policy.model import Namespace, Number
from sekisho.policy.numbers import canonical_number

_SPAN = st.tuples(st.integers(0, 30), st.integers(0, 5)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(_SPAN))
def test_the_same_numbers_in_as_few_ranges_as_can_be(spans: list[tuple[int, int]]) -> None:
    result = merged(spans)

    assert {n for low, high in spans for n in range(low, high + 1)} == {
        n for low, high in result for n in range(low, high + 1)
    }
    assert all(before[1] + 1 < after[0] for before, after in pairwise(result))


def test_a_group_allows_what_its_members_do() -> None:
    namespace = Namespace("<kernel>", number_groups={"N": [canonical_number("5-9"), canonical_number("1")]})

    assert ((1, 1), (5, 9)) == group_ranges(namespace, "N") == ranges_of(Number("@N", group="N"), namespace)
    assert () == group_ranges(namespace, "NONE")
    assert ((8, 8),) == ranges_of(canonical_number("010"), namespace)
