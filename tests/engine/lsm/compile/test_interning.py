"""Ids are given in the order of first asking, and words of policy are what domains are called after."""

from __future__ import annotations

import pytest

from sekisho.engine.lsm.compile.interning import Ids, last_word, spelled, word_id
from sekisho.engine.lsm.layout import NAME_BYTES, SPACE_NAME, SPACE_TEXT


def test_ids_come_in_the_order_of_asking_and_stay() -> None:
    ids = Ids()

    assert [1, 2, 3, 1] == [
        ids.name(raw, space)
        for raw, space in [(b"/a", SPACE_NAME), (b"/b", SPACE_NAME), (b"/a", SPACE_TEXT), (b"/a", SPACE_NAME)]
    ]


def test_a_domain_brings_those_above_it() -> None:
    ids = Ids()
    assert 4 == ids.domain("<a> /b /c")

    assert {"<kernel>": 1, "<a>": 2, "<a> /b": 3, "<a> /b /c": 4} == ids.domains
    assert 1 == ids.domain("<kernel>")


def test_a_pattern_is_a_name_of_its_own() -> None:
    assert (b"/a b", SPACE_NAME) == spelled("/a\\040b")
    assert (rb"/\*", SPACE_TEXT) == spelled("/\\*")


def test_a_name_that_nobody_can_have_has_no_id() -> None:
    assert 0 == word_id(Ids(), "/" + "a" * NAME_BYTES)
    assert 1 == word_id(Ids(), "/" + "a" * (NAME_BYTES - 1))
    with pytest.raises(ValueError, match="at most"):
        Ids().name(b"/" + b"a" * NAME_BYTES, SPACE_NAME)


def test_a_namespace_is_called_what_stands_in_its_brackets() -> None:
    assert ["/a", "kernel", "/a"] == [last_word(name) for name in ("<kernel> /b /a", "<kernel>", "</a>")]
