"""Memory of our own in a confined program's address space: where a system call's arguments stand that it didn't make.

Nothing of the program's own memory may be borrowed, not even below the stack pointer: a child
of vfork(2) shares all of it with its parent and with every thread of that, and a stack may be
a small block among others. The area stays, and is used again, until its address space is gone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from sekisho.engine.supervisor.system import libc, memory
from sekisho.engine.supervisor.tasks import Process, Tasks

_MARK: Final = 16
_SMALLEST: Final = 1 << 16
_KCMP_VM: Final = 1


@dataclass(slots=True, eq=False)
class Area:
    """``size`` bytes at ``address``. The program doesn't know of it, but nothing keeps it from writing there."""

    address: int
    size: int
    mark: bytes
    busy: bool = False

    @property
    def start(self) -> int:
        """The first address that may be written to."""
        return self.address + _MARK


class Scratch:
    """The areas made so far, by the process whose address space they are in."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._areas: dict[Process, list[Area]] = {}

    def take(self, process: Process, tid: int, size: int) -> Area | None:
        """An area for ``size`` bytes that nobody else uses now, None where one has to be made."""
        for area in self._areas.get(self._owner(process), []):
            if not area.busy and area.size >= size + _MARK and _intact(process, tid, area):
                area.busy = True
                return area
        return None

    def add(self, process: Process, tid: int, address: int, size: int) -> Area:
        """The new mapping of ``size`` bytes at ``address``, in use; raises OSError(EFAULT) where it isn't there."""
        area = Area(address, size, os.urandom(_MARK), busy=True)
        memory.write(tid, address, area.mark)
        for owner in [owner for owner in self._areas if self._tasks.by_tgid.get(owner.tgid) is not owner]:
            del self._areas[owner]
        self._areas.setdefault(self._owner(process), []).append(area)
        return area

    def _owner(self, process: Process) -> Process:
        """The furthest ancestor with the same address space."""
        parent = self._tasks.by_tgid.get(process.parent)
        while parent is not None and parent is not process and _same_memory(process.tgid, parent.tgid):
            process, parent = parent, self._tasks.by_tgid.get(parent.parent)
        return process


def size_for(size: int) -> int:
    """How much to map for ``size`` bytes: a power of two, so that few areas serve all."""
    return max(_SMALLEST, 1 << (size + _MARK - 1).bit_length())


def _same_memory(one: int, other: int) -> bool:
    try:
        return libc.syscall("kcmp", one, other, _KCMP_VM, 0, 0) == 0
    except OSError:
        return False


def _intact(process: Process, tid: int, area: Area) -> bool:
    try:
        return process.open_memory(tid).read(area.address, _MARK) == area.mark
    except OSError:
        return False
