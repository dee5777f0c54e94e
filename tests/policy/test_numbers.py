"""Numbers keep their radix and print as the kernel prints them."""

import pytest

from sekisho.policy.lines import Fault
from sekisho.policy.model import Number
from sekisho.policy.numbers import NotANumber, canonical_number, number_at


@pytest.mark.parametrize(
    ("text", "canonical", "low", "high"),
    [
        ("0", "0", 0, 0),
        ("10", "10", 10, 10),
        ("08", "8", 8, 8),
        ("0644", "0644", 0o644, 0o644),
        ("00644", "0644", 0o644, 0o644),
        ("00", "00", 0, 0),
        ("0x5401", "0x5401", 0x5401, 0x5401),
        ("0XabC", "0xABC", 0xABC, 0xABC),
        ("1-10", "1-10", 1, 10),
        ("010-0x10", "010-0x10", 8, 16),
        ("5-5", "5", 5, 5),
        ("8-010", "8-010", 8, 8),
        ("18446744073709551615", "18446744073709551615", 2**64 - 1, 2**64 - 1),
    ],
)
def test_canonical_numbers(text, canonical, low, high):
    number = canonical_number(text)

    assert number == Number(canonical, low, high)
    assert canonical_number(number.text) == number


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a number"),
        ("-1", "expected a number"),
        ("1-", "expected a number"),
        ("08z", "expected a number"),
        ("0x", "expected a number"),
        ("1-2-3", "expected a number"),
        ("٣", "expected a number"),
        ("7-3", "from the smaller to the larger"),
        ("18446744073709551616", "more than 64 bits"),
    ],
)
def test_what_is_no_number(text, message):
    with pytest.raises(NotANumber, match=message):
        canonical_number(text)


def test_a_group_stands_for_its_numbers():
    assert number_at(["x", "@G"], 1, "the mode") == Number("@G", group="G")


@pytest.mark.parametrize("word", ["@", "@\\b", "x"])
def test_a_fault_says_what_the_number_was_for(word):
    with pytest.raises(Fault, match="the mode: ") as caught:
        number_at([word], 0, "the mode")
    assert caught.value.word == 0


def test_a_missing_number():
    with pytest.raises(Fault, match="expected the mode, found the end of the line"):
        number_at([], 0, "the mode")


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 5000, "0" + "7" * 5000, "1-" + "9" * 5000])
def test_a_number_of_any_length_is_no_crash(text):
    with pytest.raises(NotANumber, match="more than 64 bits"):
        canonical_number(text)


def test_zeros_do_not_count():
    assert canonical_number("0x" + "0" * 5000 + "1") == Number("0x1", 1, 1)
