from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.interface import wire
from sekisho.interface.wire import Kind, Operation

word = st.integers(0, 2**32 - 1)


@given(st.sampled_from(Operation), st.integers(0, 2**31 - 1), word, st.binary())
def test_a_request_is_what_was_asked(operation: Operation, pid: int, user: int, payload: bytes) -> None:
    message = wire.request(operation, pid, user, payload)

    assert (wire.VERSION, operation, pid, user, payload) == wire.parse_request(message)


@given(st.sampled_from(Kind), st.integers(0, 4095), word, st.binary())
def test_a_reply_is_what_was_answered(kind: Kind, error: int, value: int, payload: bytes) -> None:
    assert (wire.VERSION, kind, error, value, payload) == wire.parse_reply(wire.reply(kind, error, value, payload))


@given(st.binary(max_size=30))
def test_anything_else_is_no_message_and_no_crash(message: bytes) -> None:
    for parse in (wire.parse_request, wire.parse_reply):
        try:
            parse(message)
        except wire.BadMessage:
            pass


@pytest.mark.parametrize(
    "message", [b"", b"\1", wire.request(Operation.READ, 1, 1)[:-1], b"\1\0" + bytes(10), b"\1\7" + bytes(10)]
)
def test_messages_that_are_too_short_or_ask_for_nothing_known(message: bytes) -> None:
    with pytest.raises(wire.BadMessage):
        wire.parse_request(message)


def test_the_longest_message_is_sent_whole_by_default() -> None:
    assert wire.LONGEST < 65536
