"""Lines, words and the positions of faults."""

import gc

import pytest

from sekisho.errors import PolicyError
from sekisho.policy.lines import (
    LINE,
    Fault,
    expect_end,
    expect_word,
    many_values,
    position_error,
    read_lines,
    suggest,
    words_of,
)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("file read /x", ["file", "read", "/x"]),
        ("  file\t\tread \x01/x\r", ["file", "read", "/x"]),
        ("", []),
    ],
)
def test_blanks_and_control_characters_separate_words(raw, words):
    assert words_of(raw) == words


@pytest.mark.parametrize(
    ("raw", "column", "escaped"),
    [
        ("file read /ä", 12, r"\303\244"),
        ("\x7fx", 1, r"\177"),
        ("/\udce4", 2, r"\344"),
        ("a\ud800", 2, r"\355\240\200"),
    ],
)
def test_other_bytes_are_refused_and_their_escape_is_named(raw, column, escaped):
    with pytest.raises(Fault) as caught:
        words_of(raw)

    error = position_error(caught.value, raw, "f", 1)
    assert (error.column, error.hint) == (column, f"write it as {escaped}")


@pytest.mark.parametrize(
    ("word", "offset", "column"), [(0, 0, 3), (1, 0, 8), (1, 2, 10), (2, 0, 12), (9, 0, 12), (LINE, 4, 5)]
)
def test_columns_count_in_the_line_as_it_is_written(word, offset, column):
    error = position_error(Fault(word, "message", "hint", offset), "  file\tread  ", "dir/f", 7)

    assert str(error) == f"dir/f:7:{column}: message; hint"


def test_reading_goes_on_after_a_fault_and_tells_all():
    seen = []

    def read(raw):
        seen.append(raw)
        if raw.startswith("bad"):
            raise Fault(0, raw)

    with pytest.raises(PolicyError) as caught:
        read_lines("bad 1\n# comment\n\ngood\n  bad?\nbad 2", "f", read)

    assert seen == ["bad 1", "good", "  bad?", "bad 2"]
    assert [(error.line, error.message) for error in caught.value.all] == [(1, "bad 1"), (6, "bad 2")]


def test_expectations():
    assert expect_word(["a"], 0, "a word") == "a"
    expect_end(["a"], 1)
    with pytest.raises(Fault, match="expected a word, found the end of the line"):
        expect_word(["a"], 1, "a word")
    with pytest.raises(Fault, match="nothing more is expected here, found 'b'"):
        expect_end(["a", "b"], 1)


def test_a_hint_names_what_looks_like_it():
    assert suggest("raed", ["read", "write"], "there are: read write") == "did you mean read?"
    assert suggest("zzz", ["read", "write"], "there are: read write") == "there are: read write"


@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_looks_for_garbage_while_many_values_are_made(enabled):
    was_enabled = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), many_values(), many_values():
            assert not gc.isenabled()
            raise ZeroDivisionError

        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
