from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.engine.supervisor.stage import Stage

from sekisho.engine.supervisor.calls import sticky

OTHER = 4242


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose owner differs from that of what stands in it, and the settings as files."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("text")
    os.mkfifo(folder / "fifo")
    for name in ("file", "fifo"):
        os.chown(folder / name, OTHER, OTHER)
    monkeypatch.setattr(sticky, "SETTINGS", f"{tmp_path}/protected_")
    return folder


def settings(place: Path, regular: int, fifos: int) -> None:
    for name, level in (("regular", regular), ("fifos", fifos)):
        (place.parent / f"protected_{name}").write_text(f"{level}\n")


@pytest.mark.root
@pytest.mark.parametrize(
    ("mode", "regular", "fifos", "refused"),
    [
        (0o1777, 1, 0, {"file"}),
        (0o1777, 0, 1, {"fifo"}),
        (0o1777, 2, 2, {"file", "fifo"}),
        (0o1777, 0, 0, set()),
        (0o777, 2, 2, set()),
        (0o1770, 1, 1, set()),
        (0o1770, 2, 1, {"file"}),
        (0o1755, 2, 2, set()),
    ],
)
def test_what_is_somebody_elses(
    enforcing: Stage, place: Path, mode: int, regular: int, fifos: int, refused: set[str]
) -> None:
    settings(place, regular, fifos)
    place.chmod(mode)
    flags = os.O_CREAT | os.O_RDWR | os.O_NONBLOCK

    for name in ("file", "fifo"):
        answer = enforcing.answer("openat", -100, place / name, flags, 0o600)
        assert (answer == -errno.EACCES) == (name in refused)
        assert -errno.EACCES != enforcing.answer("openat", -100, place / name, os.O_RDWR | os.O_NONBLOCK, 0)


@pytest.mark.root
@pytest.mark.parametrize("whose", ["folder", "caller"])
def test_what_is_the_directorys_owners_or_ones_own(enforcing: Stage, place: Path, whose: str) -> None:
    settings(place, 2, 2)
    place.chmod(0o1777)
    if whose == "folder":
        os.chown(place, OTHER, OTHER)
    else:
        os.chown(place / "file", os.getuid(), -1)
        os.chown(place, OTHER, OTHER)

    assert -errno.EACCES != enforcing.answer("openat", -100, place / "file", os.O_CREAT | os.O_RDWR, 0o600)


@pytest.mark.root
def test_a_kernel_without_the_settings(enforcing: Stage, place: Path) -> None:
    place.chmod(0o1777)

    assert -errno.EACCES != enforcing.answer("openat", -100, place / "file", os.O_CREAT | os.O_RDWR, 0o600)
