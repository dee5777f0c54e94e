from __future__ import annotations

import struct
from pathlib import Path

import pytest

from sekisho.engine.lsm import guards
from sekisho.engine.lsm.daemon import pins
from sekisho.engine.lsm.daemon.system import System
from sekisho.engine.lsm.kernel.maps import Map
from sekisho.errors import UserError


def test_a_start_goes_on_with_tables_that_mean_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pins.fresh(tmp_path)
    assert pins.fits(folder)

    monkeypatch.setattr(pins, "layout_number", lambda: "another")

    assert not pins.fits(folder)


def test_what_another_version_started_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pins.fresh(tmp_path)
    for name in pins.KEPT:
        (folder / pins.MAPS / name).touch()
    monkeypatch.setattr(pins, "layout_number", lambda: "another")
    system = System.__new__(System)
    system._before = [folder]

    with pytest.raises(UserError, match="another version"):
        system._kept()
    assert pins.folders(tmp_path) == [folder]


class Table:
    """A pinned map of the earlier start."""

    def __init__(self, contents: dict[object, bytes]) -> None:
        self.contents = contents

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None: ...

    def lookup(self, key: object) -> bytes | None:
        return self.contents.get(key)

    def update(self, key: object, value: bytes) -> None:
        self.contents[key] = value


def test_an_earlier_start_holds_what_is_new_and_what_it_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "1"
    inside.mkdir()
    held, more = guards.Guards(), guards.Guards()
    held.directory(tmp_path)
    more.directory(inside)
    tables = {"guards": Table(dict(held.raw().items())), "sieves": Table({0: held.sieve()})}
    monkeypatch.setattr(Map, "pinned", lambda path: tables[path.name])

    pins.hold(tmp_path, more)

    found = guards.Guards()
    found.directory(tmp_path)
    found.directory(inside)
    assert tables["guards"].contents == found.raw()
    assert tables["sieves"].contents[0] == found.sieve()
    assert any(struct.unpack("I", value)[0] == guards.TREE | guards.WAY for value in found.raw().values())
