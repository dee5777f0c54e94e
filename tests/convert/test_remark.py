"""Remarks say where, what became of the line, why, and what to do."""

import pytest

from sekisho.convert.remark import Fate, LeftOut, Line, Notes, Remark


def test_a_remark_is_one_line():
    assert str(Remark("d", 3, Fate.LEFT_OUT, "alias /a /b", "why", "do this")) == (
        "d:3: left out: alias /a /b: why; do this"
    )
    assert str(Remark("d", 0, Fate.ADDED, "x", "why")) == "d: added: x: why"


def test_notes_speak_of_the_line_they_are_at():
    remarks: list[Remark] = []
    notes = Notes("d", remarks)
    notes.at(1, "a")
    notes.left_out("first")
    notes.at(2, "é")
    notes.changed("second", "do")
    notes.changed("second", "do")
    notes.added("new", "third")

    assert remarks == [
        Remark("d", 1, Fate.LEFT_OUT, "a", "first"),
        Remark("d", 2, Fate.CHANGED, "\\303\\251", "second", "do"),
        Remark("d", 2, Fate.ADDED, "new", "third"),
    ]
    assert notes.line("made") == Line("made", 2, "\\303\\251")


def test_left_out_has_a_reason():
    with pytest.raises(LeftOut, match="why") as caught:
        raise LeftOut("why", "do")
    assert (caught.value.reason, caught.value.advice) == ("why", "do")
