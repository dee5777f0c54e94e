from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.store.location import default_directory


@pytest.mark.parametrize(
    ("environment", "user", "expected"),
    [
        ({"HOME": "/home/u", "XDG_STATE_HOME": "/s"}, 0, "/etc/sekisho"),
        ({"HOME": "/home/u", "XDG_STATE_HOME": "/s"}, 1000, "/s/sekisho"),
        ({"HOME": "/home/u"}, 1000, "/home/u/.local/state/sekisho"),
        ({"HOME": "/home/u", "XDG_STATE_HOME": ""}, 1000, "/home/u/.local/state/sekisho"),
        ({"HOME": "/home/u", "XDG_STATE_HOME": "relative"}, 1000, "/home/u/.local/state/sekisho"),
    ],
)
def test_default_directory(environment: dict[str, str], user: int, expected: str) -> None:
    assert Path(expected) == default_directory(environment, user)
