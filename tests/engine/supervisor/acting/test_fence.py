from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.engine.supervisor import tried

from sekisho.engine.supervisor.acting.fence import Fence, can_enter
from sekisho.engine.supervisor.system import landlock


def test_who_went_inside_stays_inside(tmp_path: Path) -> None:
    def play() -> tuple[bool, bool]:
        fence = Fence(landlock.create(landlock.MAKE_DIR, 0))
        (tmp_path / "before").mkdir()
        fence.enter()
        try:
            (tmp_path / "after").mkdir()
        except PermissionError:
            return True, os.path.exists(f"/proc/self/fd/{fence.ruleset}")
        return False, False

    assert (True, False) == tried.in_child(play)


def test_a_process_of_ours_can_be_held() -> None:
    before = os.listdir("/")

    assert can_enter() == bool(landlock.abi())
    assert before == os.listdir("/")


@pytest.mark.parametrize("call", ["landlock_create_ruleset", "landlock_restrict_self"])
def test_where_it_is_forbidden_to_hold_oneself(call: str) -> None:
    def play() -> bool:
        tried.refuse({call: errno.EPERM})
        return can_enter()

    assert not tried.in_child(play)
