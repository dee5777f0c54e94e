"""As much of a string is compared as the core compares."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.decide.arguments import visible as encoded
from sekisho.engine.lsm.walk.texts import LIMIT, visible
from sekisho.names.word import encode


@given(st.binary(max_size=8), st.integers(LIMIT // 4 - 3, LIMIT + 3), st.sampled_from([b"a", b"\n", b"\\", b"a\n\\"]))
def test_a_string_is_cut_where_the_core_cuts_it(start: bytes, length: int, unit: bytes) -> None:
    raw = start + unit * length

    assert encoded(raw) == encode(visible(raw))
