from __future__ import annotations

from sekisho.decide.arguments import LIMIT, environment, visible


def test_arguments_are_encoded() -> None:
    assert visible(b"a b\\\xff") == "a\\040b\\\\\\377"


def test_long_arguments_are_cut_at_a_whole_character() -> None:
    assert visible(b"a" * 5000) == "a" * LIMIT
    assert visible(b" " * 5000) == "\\040" * 1022
    assert visible(b"a" * (LIMIT - 1) + b"  ") == "a" * (LIMIT - 1) + "\\040"


def test_environment_gives_every_value_of_a_name() -> None:
    assert environment((b"A=1", b"B=2", b"A=x=y", b"A"), "A") == ["1", "x=y"]
