from __future__ import annotations

import os

import pytest

from sekisho.engine.lsm.kernel.grace import Grace

pytestmark = pytest.mark.root


def test_the_kernel_lets_one_wait_as_often_as_one_likes() -> None:
    before = os.listdir("/proc/self/fd")
    with Grace("test.") as grace:
        for _ in range(3):
            grace.wait()

    assert before == os.listdir("/proc/self/fd")
