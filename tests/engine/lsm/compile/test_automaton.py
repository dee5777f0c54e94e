"""An automaton accepts each name for the very words whose patterns match it, whatever the bytes."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.names import strategies as texts
from tests.names.test_direct import WORST
from tests.names.test_pattern import DOCUMENTED, EACH_OPERATOR, ODD

from sekisho.engine.lsm.compile.automaton import Automaton, TooManyStates, build, build_fitting, build_variable
from sekisho.engine.lsm.walk.automaton import walk
from sekisho.names.pattern import Pattern
from sekisho.names.word import decode, encode

TABLES = DOCUMENTED + EACH_OPERATOR + ODD

raw_names = st.one_of(
    texts.names.map(decode),
    st.lists(
        st.sampled_from([b"a", b"b", b"1", b".", b"F", b" ", b"\\", b"/", b"\x80", b"\xff", b"\0"]), max_size=12
    ).map(b"".join),
    st.binary(max_size=6).map(b"/".__add__),
)


@st.composite
def cases(draw):
    """Words, and names of which many match some."""
    pairs = draw(st.lists(texts.pairs(), min_size=1, max_size=6))
    words = [pattern for _, pattern in pairs] + draw(st.lists(texts.patterns | texts.names, max_size=4))
    names = [decode(name) for name, _ in pairs] + draw(st.lists(raw_names, min_size=1, max_size=6))
    return words, [*names, *(name + b"/" for name in names), *(name[:-1] for name in names), b""]


def found(automaton: Automaton, raw: bytes) -> tuple[int, ...]:
    number = walk(automaton.cells, 0, raw)
    return automaton.accepts[number - 1] if number else ()


def expected(words, raw):
    return tuple(index for index, word in enumerate(words) if Pattern(word).matches(encode(raw)))


@given(cases())
def test_the_words_that_match_are_those_whose_patterns_do(case):
    words, names = case
    automaton = build(words)

    for raw in names:
        assert found(automaton, raw) == expected(words, raw), raw


@pytest.mark.parametrize(("name", "word", "matches"), TABLES)
def test_one_word_alone(name, word, matches):
    assert bool(walk(build([word]).cells, 0, decode(name))) is matches


def test_all_words_together():
    words = [word for _, word, _ in TABLES]
    automaton = build(words)

    for name, _, _ in TABLES:
        assert found(automaton, decode(name)) == expected(words, decode(name)), name


def test_every_byte_is_told_apart_as_operators_do():
    words = [rf"/{operator}" for operator in (r"\?", r"\+", r"\x", r"\a", r"\*", r"\@", r"\$", r"\X", r"\A")]
    automaton = build(words)

    for byte in range(256):
        raw = b"/" + bytes((byte,))
        assert found(automaton, raw) == expected(words, raw), raw


def test_accept_numbers_stand_for_sets():
    automaton = build([r"/a\*", "/ab", r"/\*b", r"/a\*"])

    assert found(automaton, b"/ax") == (0, 3)
    assert found(automaton, b"/ab") == (0, 1, 2, 3)
    assert found(automaton, b"/xb") == (2,)
    assert found(automaton, b"/x") == ()
    assert sorted(automaton.accepts) == [(0, 1, 2, 3), (0, 2, 3), (0, 3), (2,)]


def test_no_words_accept_nothing():
    automaton = build([])

    assert automaton.accepts == ()
    assert walk(automaton.cells, 0, b"") == walk(automaton.cells, 0, b"/a") == 0


def test_the_empty_word_is_the_empty_name():
    automaton = build([""])

    assert (walk(automaton.cells, 0, b""), walk(automaton.cells, 0, b"/")) == (1, 0)


@settings(max_examples=20)
@given(cases())
def test_the_same_words_give_the_same_cells(case):
    words, _ = case

    assert build(words) == build(list(words))


@pytest.mark.parametrize("word", [word for word, _, _ in WORST])
def test_the_slowest_patterns_take_few_states(word):
    assert len(build([word], budget=600).cells) < 2500


def test_what_takes_too_many_states_is_refused():
    with pytest.raises(TooManyStates):
        build([r"/a\*" + letter + r"\*" for letter in "bcdefghijklm"], budget=1000)


def test_what_takes_too_many_states_is_accepted_too_readily_where_one_lets_it():
    words = ["/tmp/b", r"/usr/\*.so", *(rf"/tmp/\*{letter * 2}\*" for letter in "bcdefghijklmnop"), r"/usr/\*/\*.h"]
    automaton = build_fitting(words, budget=1000)

    assert automaton.loose
    assert automaton.loose < set(range(2, len(words) - 1))
    for raw in (b"/tmp/b", b"/tmp/bbb", b"/tmp/ppbb", b"/tmp/", b"/usr/x.so", b"/usr/x/y.h", b"/tm", b"/tmp/oo/x"):
        accepted = set(found(automaton, raw))
        loosely = automaton.loose if raw.startswith(b"/tmp/") else set()
        assert accepted == (set(expected(words, raw)) - automaton.loose) | loosely


def test_where_all_fits_nothing_is_loose():
    words = [r"/tmp/\*a\*", r"/tmp/\*b\*"]

    assert build_fitting(words) == build(words)


@given(texts.pairs(), st.lists(raw_names, max_size=4))
def test_a_variable_is_told_from_others_and_its_value_from_other_values(pair, values):
    name, pattern = pair
    automaton = build_variable(r"A\040B", pattern)

    assert automaton.accepts == ((0,), (0, 1))
    for raw in [decode(name), *values]:
        assert walk(automaton.cells, 0, b"A B=" + raw) == 1 + Pattern(pattern).matches(encode(raw))
        assert walk(automaton.cells, 0, b"A B" + raw) == 0
        assert walk(automaton.cells, 0, b"XA B=" + raw) == 0


@pytest.mark.parametrize("name", ["A=B", r"A\*", r"\101"])
def test_no_string_has_a_variable_of_an_impossible_name(name):
    automaton = build_variable(name, r"\*")

    assert [walk(automaton.cells, 0, raw) for raw in (b"A=B=x", b"A=x", b"Ax=y", b"A*=x", b"")] == [0] * 5


def test_an_empty_value_is_a_literal_one():
    automaton = build_variable("A", "")

    assert [walk(automaton.cells, 0, raw) for raw in (b"A=", b"A=x", b"A")] == [2, 1, 0]


def test_thousands_of_ordinary_patterns_take_no_time():
    words = [
        word
        for number in range(1000)
        for word in (rf"/usr/lib/a{number}/\*/\*.so", rf"/proc/\$/stat{number}", rf"/home/\*/\{{\*\}}/x{number}\*")
    ]
    began = time.process_time()
    automaton = build(words)

    assert time.process_time() - began < 5  # a tenth of it on an idle machine
    assert len(automaton.cells) < 15 * len(words)
