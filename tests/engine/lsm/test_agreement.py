from __future__ import annotations

import pytest

from sekisho.engine.lsm import agreement, layout
from sekisho.engine.lsm.daemon import pins


def test_whatever_is_kept_has_its_share_in_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {agreement.layout_number()}
    monkeypatch.setattr(layout, "TASK_HANDLER", 32)
    numbers.add(agreement.layout_number())
    monkeypatch.setattr(agreement, "MEANING", 2)
    numbers.add(agreement.layout_number())
    monkeypatch.setitem(layout.STRUCTURES, "task", layout.Question)
    numbers.add(agreement.layout_number())

    assert len(numbers) == 4


def test_events_may_change_without_anybody_being_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    number = agreement.layout_number()
    monkeypatch.setattr(layout, "EVENT_TASK", 9)

    assert agreement.layout_number() == number


def test_every_map_that_is_kept_is_spoken_of() -> None:
    spoken = {"domain", "child_key", "task", "counts", "name_value", "setter"}

    assert spoken <= set(agreement.KEPT)
    others = {name for name in pins.KEPT if not name.startswith("names_")}
    assert others == {"domains", "children", "tasks", "counts", "setters_held", "setters_free"}
