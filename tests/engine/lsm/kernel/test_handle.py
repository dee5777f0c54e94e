import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.lsm.kernel import sample

from sekisho.engine.lsm.kernel.handle import Handle
from sekisho.engine.lsm.kernel.loader import Loaded
from sekisho.engine.lsm.kernel.maps import Map
from sekisho.engine.lsm.kernel.program import Link, Program

pytestmark = [pytest.mark.root, pytest.mark.needs(*sample.COMPILER)]


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[Path]:
    """A bpffs."""
    place = tmp_path / "pins"
    place.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_pinned_map_outlives_its_descriptor(loaded: Loaded, pins: Path) -> None:
    loaded.maps["entries"].update(3, bytes(16))
    loaded.maps["entries"].pin(pins / "entries")
    loaded.close()

    with Map.pinned(pins / "entries") as again:
        assert bytes(16) == again.lookup(3)
        assert "entries" == again.name


def test_a_pinned_program_can_be_run(loaded: Loaded, pins: Path) -> None:
    loaded.programs["identify"].pin(pins / "identify")

    with Program.pinned(pins / "identify") as again:
        assert -1 == again.run(bytearray(16))
        assert loaded.programs["identify"].facts().id == again.facts().id


def test_a_pinned_link_is_of_its_program(loaded: Loaded, pins: Path) -> None:
    loaded.attach(["each_task"])
    loaded.links["each_task"].pin(pins / "each_task")

    with Link.pinned(pins / "each_task") as again:
        assert loaded.programs["each_task"].facts().id == again.program
        assert loaded.links["each_task"].id == again.id


def test_what_isnt_pinned_isnt_found(pins: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Map.pinned(pins / "none")


def test_what_is_closed_stays_closed() -> None:
    handle = Handle(-1)

    handle.close()
    handle.close()

    assert -1 == handle.fileno()
