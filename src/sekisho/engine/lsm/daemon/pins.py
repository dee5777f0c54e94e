"""What keeps the engine in force while nobody runs it: links and maps with names in the BPF file system.

Each start has a folder of its own, so that what it has is complete before what was there before is taken away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.agreement import layout_number
from sekisho.engine.lsm.daemon.machine import BPFFS
from sekisho.engine.lsm.daemon.stopped import let_all_go
from sekisho.engine.lsm.guards import Guards
from sekisho.engine.lsm.kernel.handle import Handle
from sekisho.engine.lsm.kernel.maps import Map
from sekisho.engine.lsm.kernel.ring import Ring

ROOT: Final = BPFFS / "sekisho"
MAPS, LINKS, PROGRAMS = "maps", "links", "programs"
KEPT: Final = (
    "names_32", "names_64", "names_128", "names_256", "names_1024", "names_4096", "domains", "children", "tasks",
    "counts", "setters_held", "setters_free",
)  # fmt: skip
"""Maps that the next start goes on with: ids of names and domains, which domain each task is in, and who has said whom
files send signals to."""


def folders(root: Path = ROOT) -> list[Path]:
    """The folders of all starts that are still in force, oldest first."""
    try:
        return sorted((root / name for name in os.listdir(root) if name.isdigit()), key=lambda path: int(path.name))
    except FileNotFoundError:
        return []


def fresh(root: Path = ROOT) -> Path:
    """A folder for this start, empty."""
    taken = [int(path.name) for path in folders(root)]
    path = root / str(max(taken, default=0) + 1)
    for name in (MAPS, LINKS, PROGRAMS, _layout()):
        (path / name).mkdir(0o700, parents=True)
    os.chmod(root, 0o700)
    return path


def pin(folder: Path, kind: str, handles: Mapping[str, Handle]) -> None:
    """Each of ``handles`` has its name in ``folder``; names with a dot can't be there, and aren't needed."""
    for name, handle in handles.items():
        if "." not in name:
            handle.pin(folder / kind / name)


def whole(folder: Path) -> bool:
    """Whether every map is there that the next start goes on with; not where the start was killed before that."""
    return all((folder / MAPS / name).exists() for name in KEPT)


def fits(folder: Path) -> bool:
    """Whether what stands in those maps means what this version takes it for."""
    return (folder / _layout()).is_dir()


def kept(folder: Path, names: Iterable[str] = KEPT) -> dict[str, Map]:
    """The maps of an earlier start that this one goes on with."""
    return {name: Map.pinned(folder / MAPS / name) for name in names if (folder / MAPS / name).exists()}


def state(folder: Path) -> layout.State | None:
    """What tells the programs of an earlier start whether they are in force; None where that is gone."""
    try:
        with Map.pinned(folder / MAPS / "state") as table:
            return layout.State.from_buffer(table.mapped())
    except OSError:
        return None


def hold(folder: Path, more: Guards) -> None:
    """The programs of an earlier start keep these from others, too. Raises OSError."""
    with Map.pinned(folder / MAPS / "guards") as table:
        for key, value in more.raw().items():
            table.update(key, _united(table.lookup(key) or bytes(4), value))
    with Map.pinned(folder / MAPS / "sieves") as table:
        table.update(0, _united(table.lookup(0) or b"", more.sieve()))


def leftover(folder: Path) -> list[bytes]:
    """The events that are still in the ring of an earlier start."""
    try:
        with Map.pinned(folder / MAPS / "events") as table:
            ring = Ring(table)
            try:
                return ring.drain()
            finally:
                ring.close()
    except OSError:
        return []


def let_go(folder: Path) -> None:
    """Whoever an earlier start's programs have stopped for a question goes on, and they stop nobody any more: nobody is
    left to answer.
    """
    before = state(folder)
    if before is not None:
        before.observers = 0
    try:
        with Map.pinned(folder / MAPS / "questions") as table:
            let_all_go(table, rounds=1)
    except OSError:
        return


def remove_links(folder: Path) -> None:
    """What ``folder`` kept in force isn't any more; its maps are still there."""
    shutil.rmtree(folder / LINKS, ignore_errors=True)


def remove(folder: Path) -> None:
    """What ``folder`` kept in force isn't any more, links first: no program runs without its maps' names."""
    for kind in (LINKS, PROGRAMS, MAPS):
        shutil.rmtree(folder / kind, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def remove_all(root: Path = ROOT) -> bool:
    """Nothing is kept in force; whether something was."""
    found = folders(root)
    for folder in found:
        remove(folder)
    shutil.rmtree(root, ignore_errors=True)
    return bool(found)


def _layout() -> str:
    """The name of the directory by which a start says how its maps are to be read."""
    return f"layout-{layout_number()}"


def _united(one: bytes, other: bytes) -> bytes:
    return bytes(here | there for here, there in zip(one.ljust(len(other), b"\0"), other, strict=True))
