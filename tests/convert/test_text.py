"""Lines and words of text that may hold anything."""

from sekisho.convert.text import in_ascii, printable, significant_words, text_lines


def test_a_line_end_ends_the_last_line():
    assert list(text_lines("a\n\nb")) == [(1, "a"), (2, ""), (3, "b")]
    assert list(text_lines("a\n")) == [(1, "a")]
    assert list(text_lines("")) == []


def test_comments_and_blanks_have_no_words():
    assert [significant_words(raw) for raw in ("", " \t", "# a", " #a", "\x00")] == [None] * 5
    assert significant_words(" a\tb\x01c ") == ["a", "b", "c"]


def test_what_is_not_ascii_is_escaped():
    assert in_ascii("a\tb é \udce9 \x01") == "a\tb \\303\\251 \\351 \\001"


def test_what_cannot_be_shown_is_escaped():
    assert printable("a é … \t\udce9\x04") == "a é … \\011\\351\\004"
    assert printable("a é") == "a é"
