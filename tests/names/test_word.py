"""The encoding is a bijection; correct words, paths and domainnames are those of the kernel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.names.word import decode, encode, is_correct_domain, is_correct_path, is_correct_word, units


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"/etc/passwd", "/etc/passwd"),
        (b"/tmp/a b", "/tmp/a\\040b"),
        (b"a\\b", "a\\\\b"),
        (b"\x00abstract", "\\000abstract"),
        (b"\x7f\x80\xff\n", "\\177\\200\\377\\012"),
        (b"", ""),
    ],
)
def test_bytes_outside_printable_ascii_and_backslashes_are_escaped(raw, word):
    assert encode(raw) == word
    assert decode(word) == raw


@given(st.binary())
def test_decoding_undoes_encoding(raw):
    assert decode(encode(raw)) == raw


@given(st.binary(min_size=1))
def test_an_encoded_name_is_a_correct_word(raw):
    assert is_correct_word(encode(raw))


@given(st.text())
def test_what_decodes_encodes_back(text):
    try:
        raw = decode(text)
    except ValueError:
        return
    assert encode(raw) == text


@given(st.text())
def test_units_leave_nothing_out(text):
    assert "".join(units(text)) == text


@pytest.mark.parametrize("word", ["\\*", "\\141", "a b", "\\", "\\04", "ä", "\\400", "\x7f"])
def test_what_is_no_encoding_does_not_decode(word):
    with pytest.raises(ValueError, match="can't stand in the encoding"):
        decode(word)


@pytest.mark.parametrize(
    "word",
    [
        "a",
        "/",
        "pipe:[1]",
        "<NULL>",
        "anonymous",
        "@x",
        '"',
        "\\\\",
        "\\000",
        "\\040",
        "\\177",
        "\\377",
        "\\*\\@\\?\\$\\+\\X\\x\\A\\a\\-",
        "/\\{dir\\}/",
        "/\\{\\*\\-a\\-b\\}/\\{\\$\\}/x",
        "/\\{\\}/",
        "/\\{a\\\\\\}/",
        "\\*" * 20,
        "\\?" * 50,
        "/\\{" + "\\*" * 18 + "\\}/",
    ],
)
def test_correct_words(word):
    assert is_correct_word(word)


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "a b",
        "a\t",
        "ä",
        "\x7f",
        "\\",
        "a\\",
        "\\b",
        "\\04",
        "\\048",
        "\\041",
        "\\141",
        "\\176",
        "\\400",
        "\\{a\\}/",
        "/\\{a\\}",
        "/\\{a/b\\}/",
        "/\\{a",
        "/a\\}/",
        "/x\\{a\\}/",
        "/\\{a\\}b/",
        "/\\(a\\)/",
        "\\*" * 21,
        "/\\{" + "\\*" * 19 + "\\}/",
    ],
)
def test_incorrect_words(word):
    assert not is_correct_word(word)


@pytest.mark.parametrize("word", ["/", "/x", "/x.y", "proc:/self/exe", "x/", "/\\*"])
def test_correct_paths(word):
    assert is_correct_path(word)


@pytest.mark.parametrize("word", ["", "x", "./x", "a.b/x", "pipe:[1]", "task.uid=0", 'exec.realpath="/x"', "/ä"])
def test_incorrect_paths(word):
    assert not is_correct_path(word)


@pytest.mark.parametrize(
    "text", ["<kernel>", "<kernel> /bin/sh", "<a> /x /y/\\*", "</sbin/init>", "<kernel> " + "/" * (4085 - 9)]
)
def test_correct_domains(text):
    assert is_correct_domain(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<",
        "<>",
        "kernel",
        "/bin/sh",
        "<kernel",
        "<kernel>  /x",
        "<kernel> ",
        "<kernel> x",
        "<ker nel>",
        "<kernel> " + "/" * (4086 - 9),
    ],
)
def test_incorrect_domains(text):
    assert not is_correct_domain(text)
