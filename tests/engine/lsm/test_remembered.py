from __future__ import annotations

from pathlib import Path

from tests.engine.lsm.kernels import on_each
from tests.engine.lsm.test_protection import built, run

EXPECTED = {
    "as it is": "ok EPERM",
    "directory renamed": "EPERM",
    "directory back": "ok",
    "moved up": "EPERM",
    "exchanged directories": "ok EPERM",
    "exchanged back": "ok",
    "file renamed": "EPERM",
    "file back": "ok",
    "exchanged files": "ok EPERM",
    "linked": "ok EPERM",
    "only the link is left": "EPERM",
    "another file": "ok",
    "bound": "ok EPERM",
    "moved mount": "EPERM ok",
    "unmounted": "ok",
    "writer": "ok",
    "reader writes": "EPERM",
    "reader reads": "ok",
    "line taken away": "EPERM",
    "line given back": "ok",
    "made": "ok ok EPERM",
    "made otherwise": "EPERM EPERM EEXIST",
    "made as somebody": "ok EPERM",
    "made in what was renamed": "EPERM",
    "made in what is back": "ok",
    "renamed": "ok EPERM EPERM",
    "renamed as a directory": "EPERM",
    "made where it is bound": "EPERM ok",
    "made when that is over": "ok",
    "directories that come and go": "EPERM",
    "race": "ok",
    "after the race": "EPERM",
    "in the end": "ok",
}


@built
@on_each("6.1")
def test_what_is_remembered_of_a_file_counts_under_its_name_alone(kernel: str, tmp_path: Path) -> None:
    outcomes = run(kernel, "guest_remembered", tmp_path)

    assert outcomes.pop("kept") == "True True"
    assert outcomes == EXPECTED
