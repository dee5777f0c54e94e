"""The direct matcher and the regular expressions say the same of every name and pattern."""

from hypothesis import given
from hypothesis import strategies as st
from tests.names import reference
from tests.names.strategies import names, pairs, patterns

from sekisho.names.components import literal_prefix, split_components
from sekisho.names.direct import matches_component, matches_rest


@given(pairs() | st.tuples(names, patterns))
def test_agrees_with_the_plain_reading_of_the_rules(pair):
    name, pattern = pair
    prefix = literal_prefix(pattern)
    if prefix == pattern or not name.startswith(prefix) or name.endswith("/") is not pattern.endswith("/"):
        return
    matched = matches_rest(name.removeprefix(prefix), split_components(pattern.removeprefix(prefix)))

    assert matched is reference.matches(name, pattern)


def test_a_component_refuses_what_is_subtracted():
    (component,) = split_components(r"\*\-a\@\-b")

    assert [matches_component(list(name), component) for name in ("x", "ax", "a.x", "b", "")] == [
        True,
        False,
        True,
        False,
        True,
    ]
