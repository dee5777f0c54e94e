from __future__ import annotations

import ctypes

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.compile.lists import CompiledList
from sekisho.engine.lsm.publish.records import records_of, words_of


def test_everything_is_under_the_lists_id() -> None:
    compiled = CompiledList(
        layout.List(names=1),
        {5: layout.Found(plain=3)},
        [layout.Rule(candidate=7), layout.Rule(target=8, preference=layout.PREFER_PATH)],
        pairs=[(10, 1, 2)],
        endpoints=[(2, 80, 4, 0x7F000001)],
    )
    records = records_of(compiled, 9)

    assert ["rules", "found", "pairs", "endpoints", "lists"] == list(records)
    assert all(keys[:4] == (9).to_bytes(4, "little") for keys, _ in records.values())
    assert bytes(layout.PlaceKey(9, 0)) + bytes(layout.PlaceKey(9, 1)) == records["rules"][0]
    endpoint = layout.EndpointKey.from_buffer_copy(records["endpoints"][0])
    assert bytes(12) + b"\x7f\0\0\1" == bytes(endpoint.address)
    assert ctypes.sizeof(layout.PairKey) == len(records["pairs"][0])
    assert {7, 8} == words_of(compiled)
