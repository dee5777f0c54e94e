"""Matching place by place agrees with the rules, and takes as many steps as name and pattern have characters."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.names import reference
from tests.names.strategies import names, pairs, patterns

from sekisho.names import direct
from sekisho.names.components import literal_prefix, split_components
from sekisho.names.direct import component_matcher, rest_matcher, step
from sekisho.names.word import MAX_OPERATORS, is_correct_word, units


def matches(name, pattern):
    prefix = literal_prefix(pattern)
    return rest_matcher(split_components(pattern.removeprefix(prefix)))(name.removeprefix(prefix))


@given(pairs() | st.tuples(names, patterns))
def test_agrees_with_the_plain_reading_of_the_rules(pair):
    name, pattern = pair
    prefix = literal_prefix(pattern)
    if prefix == pattern or not name.startswith(prefix) or name.endswith("/") is not pattern.endswith("/"):
        return

    assert matches(name, pattern) is reference.matches(name, pattern)


def test_a_component_refuses_what_is_subtracted():
    (component,) = split_components(r"\*\-a\@\-b")

    assert [component_matcher(component)(name) for name in ("x", "ax", "a.x", "b", "")] == [
        True,
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("unit", "reached", "fitting", "expected"),
    [
        ("a", 0b0001, 0b0001, 0b0010),
        ("a", 0b0001, 0b0010, 0),
        (r"\?", 0b0101, 0b1111, 0b1010),
        (r"\*", 0b0001, 0b1111, 0b11111),
        (r"\@", 0b0001, 0b1011, 0b00111),
        (r"\@", 0b0110, 0b1011, 0b00110),
        (r"\$", 0b0001, 0b0111, 0b01110),
        (r"\$", 0b0100, 0b0111, 0b01000),
        (r"\$", 0b1000, 0b0111, 0),
        (r"\@", 0b1010, 0b0111, 0b01110),
    ],
)
def test_a_step_moves_all_places_at_once(unit, reached, fitting, expected):
    assert step(reached, fitting, unit) == expected


def count_into(gone_over, patch):
    """``gone_over`` gains an entry for each comparison of a component and each step: the characters it goes over."""

    def counted(reached, fitting, unit):
        gone_over.append(max(reached.bit_length(), fitting.bit_length()))
        return step(reached, fitting, unit)

    def counting(component):
        compare = component_matcher(component)

        def compared(name):
            gone_over.append(len(name) + 1)
            return compare(name)

        return compared

    patch.setattr(direct, "step", counted)
    patch.setattr(direct, "component_matcher", counting)


WORST = [
    ("/" + r"\*a" * 19 + r"b\*", "/{}", "a"),
    ("/" + r"\*a" * 19 + r"\?c", "/{}c", "a"),
    ("/" + r"\@a\*" * 10 + r"\?", "/{}", "a."),
    ("/" + r"\$\A" * 10, "/{}", "a1"),
    ("/" + r"\X" * 20 + "z", "/{}z", "0"),
    ("/" + r"\{a\}/" * 10 + "b", "/{}c", "a/"),
    ("/" + r"\{\*\}/" * 6 + r"b\*", "/{}c", "a/"),
    ("/" + r"\{\*a\*\}/" * 5 + "b", "/{}c", "aa/"),
    ("/" + r"\{\*\-\*a\*b\-\*b\*a\}/" * 2 + r"\?", "/{}cc", "aaa/"),
    ("/" + r"\*a\*/" * 10 + "b", "/{}c", "aaaaaaa/"),
    (r"/\*" + r"\-\*a\*b\*" * 6, "/{}", "a"),
    (r"/\*" + r"\-\*ab\*" * 9, "/{}", "a"),
    ("/" + r"\?" * 200 + r"\*a\*b\*", "/{}", "a"),
    ("/" + r"\*\040\*\\\@" * 6 + r"b\$", "/{}", r"\040"),
]


@pytest.mark.parametrize(("pattern", "frame", "filler"), WORST, ids=range(len(WORST)))
def test_time_is_linear_in_the_name_whatever_the_pattern(monkeypatch, pattern, frame, filler):
    assert is_correct_word(pattern)
    gone_over: list[int] = []
    taken: list[int] = []
    count_into(gone_over, monkeypatch)
    for count in (250, 500, 1000, 2000):
        name = frame.format(filler * count)
        gone_over.clear()
        matches(name, pattern)
        taken.append(sum(gone_over))

        # No component of the name meets one of the pattern more than twice; then each character is a step.
        assert taken[-1] <= 2 * (len(units(pattern)) + 1) * (len(units(name)) + 1)
    assert taken[0] > 250
    assert all(later <= 2.1 * earlier for earlier, later in pairwise(taken))


@given(st.data())
def test_no_pattern_takes_more_steps_than_name_times_pattern(data):
    pattern = data.draw(patterns)
    name = data.draw(names | st.integers(1, 40).map(lambda count: "/" + "a/b" * count))
    prefix = literal_prefix(pattern)
    gone_over: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        count_into(gone_over, patch)
        rest_matcher(split_components(pattern.removeprefix(prefix)))(name)

    assert sum(gone_over) <= 2 * (len(units(pattern)) + 1) * (len(name) + 1)


def test_the_worst_patterns_use_all_operators_a_word_may_have():
    counts = [len(re.findall(r"\\[*@$XA{}]", pattern)) for pattern, _, _ in WORST]

    assert MAX_OPERATORS in counts
