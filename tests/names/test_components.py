"""Patterns come apart into prefix, components and parts, and nothing is lost but rows of stars."""

import pytest
from hypothesis import given
from tests.names.strategies import patterns

from sekisho.names.components import Component, literal_prefix, split_components
from sekisho.names.pattern import is_pattern


@pytest.mark.parametrize(
    ("word", "prefix"),
    [("/a/b", "/a/b"), (r"/a\\b\040\*c", r"/a\\b\040"), (r"/\{a\}/", "/"), (r"a\-b", "a"), ("", "")],
)
def test_the_prefix_ends_at_the_first_operator(word, prefix):
    assert literal_prefix(word) == prefix


@pytest.mark.parametrize(
    ("rest", "components"),
    [
        (r"\*.o", [Component((("\\*", ".", "o"),))]),
        (r"\*\-a\-\$", [Component((("\\*",), ("a",), ("\\$",)))]),
        (r"\{\@\-x\}/\\", [Component((("\\@",), ("x",)), repeated=True), Component((("\\\\",),))]),
        (r"\*/", [Component((("\\*",),)), Component(((),))]),
        (r"\@\*\@a\@\@", [Component((("\\*", "a", "\\@"),))]),
    ],
)
def test_components(rest, components):
    assert list(split_components(rest)) == components


@given(patterns.filter(is_pattern))
def test_there_are_as_many_components_as_slashes_divide(pattern):
    rest = pattern.removeprefix(literal_prefix(pattern))

    assert len(split_components(rest)) == rest.count("/") + 1
