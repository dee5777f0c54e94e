from __future__ import annotations

import pytest

from sekisho.audit.values import Record
from sekisho.decide.request import Task
from sekisho.policy.model import Mode


def test_a_record_cannot_be_changed() -> None:
    record = Record(0, 0, Mode.LEARNING, True, "<kernel>", "file read /a", Task())

    with pytest.raises(AttributeError):
        record.granted = False  # type: ignore[misc]
