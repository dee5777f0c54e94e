"""Patterns match what the kernel's matcher matches, odd cases included, and both ways to match agree."""

import pytest
from hypothesis import example, given
from tests.names import reference
from tests.names.strategies import names, pairs, patterns, raw_names

from sekisho.names.components import literal_prefix, split_components
from sekisho.names.pattern import Pattern, compile_pattern, is_pattern, is_plain
from sekisho.names.word import encode

DOCUMENTED = [
    ("/etc/passwd", r"/etc/\{\*\}/\*", False),
    ("/var/www/html/test/test/test/index.html", r"/var/www/html/\{test\}/\*.html", True),
    ("/a/b/c", r"/a/\{\*\}/c", True),
    ("/a/c", r"/a/\{\*\}/c", False),
    ("/bin/", r"/bin/\*", False),
    ("/bin/", r"/\*/", True),
    ("/a", r"/a\*", True),
    ("/a/b", r"/a/b\*", True),
    ("/a/", r"/\*/\*", False),
    ("/tmp/000", r"/tmp/\*\-\@.txt", True),
    ("/tmp/a.b", r"/tmp/\@", False),
    (r"/tmp/a\040b", r"/tmp/a\?b", True),
    ("/tmp/abc", r"/tmp/\*\-abc", False),
    ("/tmp/abc", r"/tmp/ab\*\-c", False),
    ("/tmp/abc", r"/tmp/ab\*\-abc", True),
    ("proc:/self/fd/1", r"proc:/self/fd/\$", True),
    ("pipe:[12]", r"pipe:[\$]", True),
]

EACH_OPERATOR = [
    ("/a", r"/\?", True),
    ("/", r"/\?", False),
    ("/ab", r"/\?", False),
    (r"/\\", r"/\?", True),
    (r"/\\", r"/\?\?", False),
    ("/7", r"/\+", True),
    ("/77", r"/\+", False),
    ("/a", r"/\+", False),
    ("/77", r"/\$", True),
    ("/", r"/\$", False),
    ("/77b", r"/\$b", True),
    ("/7f", r"/\X", True),
    ("/7g", r"/\X", False),
    ("/f", r"/\x", True),
    ("/F", r"/\x", True),
    ("/ff", r"/\x", False),
    ("/abC", r"/\A", True),
    ("/ab1", r"/\A", False),
    ("/z", r"/\a", True),
    ("/1", r"/\a", False),
    (r"/a\040b.c", r"/\*", True),
    (r"/a\040b.c", r"/\@.\@", True),
    ("/x/y", r"/\*", False),
    ("/.x", r"/\@x", False),
    (r"/a\012", r"/a\012\*", True),
    (r"/\\x", r"/\\\*", True),
    ("/a.o", r"/\*.o\-a\*\-b\*", False),
    ("/b.o", r"/\*.o\-a\*\-b\*", False),
    ("/c.o", r"/\*.o\-a\*\-b\*", True),
    ("/x/y/z", r"/\{\@\-y\}/z", False),
    ("/x/x/z", r"/\{\@\-y\}/z", True),
    ("/x/x/", r"/\{x\}/", True),
    ("/x/1/x/2/f", r"/\{x\}/\$/\{x\}/\+/\?", True),
]

ODD = [
    ("/a", r"/\*/\*", True),  # the last component is missing with its slash
    ("/a/b", r"/\*/\@\*/\*", True),
    ("/a/b", r"/a/\?/\@", True),
    ("/a", r"/\*/\*/\*", False),
    ("/a/b", r"/\{a\}/\?/\*", True),
    ("/a", r"/\{a\}/\*", False),  # … but a repetition itself needs its slash
    ("/tmp/ab", r"/tmp/ab\*\-c", False),  # nothing is left to compare
    ("/tmp/ab", r"/tmp/ab\*\@", True),
    ("/tmp/ab", r"/tmp/ab\-c", False),
    ("/tmp/abx", r"/tmp/ab\*\-", True),
    ("/a//b", r"/\*//b", True),
    ("/a//b", r"/\*/\*/b", True),
    ("", r"\*", True),
    ("", r"\?", False),
    ("/", r"/\*", False),
]


@pytest.mark.parametrize(("name", "pattern", "expected"), DOCUMENTED + EACH_OPERATOR)
def test_matches(name, pattern, expected):
    assert compile_pattern(pattern).matches(name) is expected


@pytest.mark.parametrize(("name", "pattern", "expected"), ODD)
def test_matches_as_oddly_as_the_kernel(name, pattern, expected):
    assert compile_pattern(pattern).matches(name) is expected
    assert reference.matches(name, pattern) is expected


@given(raw_names)
def test_a_literal_name_matches_itself_only(raw):
    name = encode(raw)

    assert not is_pattern(name)
    assert compile_pattern(name).matches(name)
    assert not compile_pattern(name).matches(name + "x")
    assert compile_pattern(name).prefix == name


@given(names, patterns)
@example("/a", r"/\@\*\@\*\@\*/\*")
def test_agrees_with_the_plain_reading_of_the_rules(name, pattern):
    assert compile_pattern(pattern).matches(name) is reference.matches(name, pattern)


@given(pairs())
def test_agrees_with_the_plain_reading_where_name_and_pattern_are_alike(pair):
    name, pattern = pair

    assert compile_pattern(pattern).matches(name) is reference.matches(name, pattern)


@given(names, patterns)
def test_a_matching_name_begins_with_the_prefix(name, pattern):
    compiled = compile_pattern(pattern)

    assert compiled.prefix == literal_prefix(pattern)
    if compiled.matches(name):
        assert name.startswith(compiled.prefix)


def test_compiling_again_gives_the_same_object():
    assert compile_pattern(r"/x\*") is compile_pattern(r"/x\*")


def test_many_operators_do_not_take_forever():
    name = "/" + "a" * 2000

    assert not Pattern(r"/" + r"\*a" * 20 + "b").matches(name)
    assert Pattern(r"/" + r"\*a" * 20).matches(name)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (r"\*.o", True),
        (r"a\*b/\$c\-\Ad/\?\?x\+/\*", True),
        (r"\*a\*b\*c\-\*b\*", True),
        (r"\$.\*", True),
        (r"\*.\$", False),
        (r"\*\-\*a\@", False),
        (r"\{a\}/\*b", True),
        (r"\{a\}/\{a\}/b", False),
        (r"\*\@\*/a", True),  # a row of stars is one
    ],
)
def test_regular_expressions_are_for_what_they_match_in_linear_time(rest, expected):
    assert is_plain(split_components(rest)) is expected


@pytest.mark.parametrize(
    ("word", "expected"), [("/a", False), (r"/\040\\", False), (r"/\*", True), (r"/\\*", False), (r"a\-b", True)]
)
def test_is_pattern(word, expected):
    assert is_pattern(word) is expected
