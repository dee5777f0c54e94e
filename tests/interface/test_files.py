from __future__ import annotations

import pytest
from tests.interface.stage import Stage

from sekisho.interface.files import KINDS, MODES


@pytest.mark.parametrize("name", KINDS)
def test_every_file_opens(name: str) -> None:
    handle = Stage().open(name, readable=True, writable=False)

    assert (handle.readable, handle.writable) == (True, False)


@pytest.mark.parametrize("name", ["", "..", "/", "domain_policy/", "control", "x" * 10000])
def test_there_is_no_other(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        Stage().open(name)


def test_the_kernel_has_all_but_one_of_them() -> None:
    assert KINDS.keys() - MODES.keys() == {".tree"}
    assert MODES.keys() <= KINDS.keys()
