"""The processes of running trees, as ``.tree`` tells them."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.interface.client import OpenFile, Service

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """One process: ``mode`` is the one that holds for whatever its profile doesn't name, ``waiting`` the serial of the
    question it waits for, None when it doesn't."""

    pid: int
    parent: int
    profile: int
    mode: str
    domain: str
    handler: bool = False
    waiting: int | None = None


def read_all(file: OpenFile) -> str:
    """The rest of an interface file."""
    pieces = []
    while piece := file.read(_CHUNK):
        pieces.append(piece)
    return b"".join(pieces).decode("ascii", "replace")


def read_text(service: Service, name: str, selection: str = "") -> str:
    """All of the interface file ``name``, or what of it the line ``selection`` selects."""
    file = service.open(name, writable=bool(selection), administrator=True)
    try:
        if selection:
            file.write(f"{selection}\n".encode())
        return read_all(file)
    finally:
        file.close()


def read_processes(service: Service) -> list[ProcessLine]:
    """Every process of the tree, parents first."""
    return [parse_line(line) for line in read_text(service, ".tree").splitlines()]


def parse_line(line: str) -> ProcessLine:
    """One line of ``.tree`` (``interface.tree``)."""
    pid, parent, profile, mode, mark, domain = line.split(" ", 5)
    marks = mark.split(",")
    waiting = next((int(each[1:]) for each in marks if each.startswith("Q")), None)
    return ProcessLine(int(pid), int(parent), int(profile), mode, domain, "handler" in marks, waiting)


def lineage(lines: list[ProcessLine], pid: int) -> list[ProcessLine]:
    """The process ``pid`` and its ancestors in the tree, the oldest first; nothing when it isn't there."""
    known = {line.pid: line for line in lines}
    found: list[ProcessLine] = []
    while pid in known and known[pid] not in found:
        found.append(known[pid])
        pid = known[pid].parent
    return found[::-1]
