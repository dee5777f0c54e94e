from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.lsm.guest_served import LOWER, OVER
from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import built, run


@pytest.mark.every
@built
@on_each("6.12")
def test_a_name_grants_no_other_name_of_what_is_served_or_lies_over(kernel: str, tmp_path: Path) -> None:
    told = run(kernel, "guest_served", tmp_path)

    assert ("ok", "EPERM") == (told["held granted"], told["held other"])
    # By its name here; newer kernels ask for that in the file system of the layer, too, where nothing leads to.
    names = [f"file read {OVER}/file", *([] if kernel == "6.1" else [f"file read tmpfs:/{LOWER.name}/file"])]
    assert ("ok", ", ".join(names)) == (told["learns overlay"], told["told"])
    assert told["held overlay"] == ("ok" if kernel == "6.1" else "EPERM")
