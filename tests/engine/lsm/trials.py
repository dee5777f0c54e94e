"""What decides in the kernel, run on tables and requests that tests make up: bpf/trial/decide.bpf.c."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_char, c_int32, c_uint8, c_uint16, c_uint32, c_uint64
from pathlib import Path
from typing import Final

from tests.engine.lsm.kernel.sample import compiled

from sekisho.engine.lsm import layout
from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.loader import Loaded, Loader, Options
from sekisho.engine.lsm.walk.request import Answer, RawRequest
from sekisho.engine.lsm.walk.tables import Tables

SOURCE: Final = Path(__file__).resolve().parents[3] / "bpf/trial/decide.bpf.c"
ELSEWHERE: Final = layout.DOMAINS - 1
"""A domain that no request is about."""
TIMES: Final = 32
"""So often a request is decided in one run at most."""
_TABLES: Final = ("found", "rules", "clauses", "ranges", "pairs", "endpoints", "intervals")
_ROOM: Final = dict.fromkeys(_TABLES, 1 << 17) | {f"names_{size}": 1 << 17 for size in layout.NAME_SIZES}
_SYMLINK: Final = 1 << layout.BITS["file symlink"]


class _Text(ctypes.Structure):
    """``struct name`` and ``struct text``."""

    _fields_ = (
        ("length", c_uint16),
        ("space", c_uint8),
        ("zero", c_uint8),
        ("bytes", c_char * layout.NAME_BYTES),
    )


class Trial(ctypes.Structure):
    """``struct trial``."""

    _fields_ = (
        ("family", c_uint32),
        ("domain", c_uint32),
        ("asked", c_uint64),
        ("target", c_uint32),
        ("ignore_first", c_uint32),
        ("numbers", c_uint64 * 3),
        ("address", c_uint8 * 16),
        ("version", c_uint16),
        ("port", c_uint16),
        ("times", c_uint32),
        ("have_facts", c_uint32),
        ("facts", layout.Facts),
        ("first", _Text),
        ("second", _Text),
        ("third", _Text),
        ("verdict", c_int32),
        ("list", c_uint32),
        ("granted", c_uint64),
        ("refused", c_uint64),
        ("logged", c_uint64),
        ("entry", c_uint32),
        ("candidate", c_uint32),
        ("target_id", c_uint32),
        ("move", c_uint32),
        ("preference", c_uint32),
        ("move_kind", c_uint32),
        ("nanoseconds", c_uint64),
    )


@functools.cache
def image() -> objects.Object:
    """The trial programs, compiled once a session."""
    return objects.read(compiled(f'#include "{SOURCE}"\n'))


class Kernel:
    """The trial programs in the running kernel, and tables that they decide by."""

    def __init__(self) -> None:
        self.loaded: Loaded = Loader().load(image(), Options(entries=_ROOM, log=20))
        assert not self.loaded.failures, self.loaded.failures
        self._maps = self.loaded.maps
        self._written: list[tuple[str, bytes]] = []
        self._cells = self._maps["cells"].mapped()
        self._maps["state"].update(0, bytes(layout.State(active=1)))
        self.stand_in(ELSEWHERE)

    def stand_in(self, domain: int) -> None:
        """This process is in ``domain``, which what it is granted may move it from, or kill it if it can't move."""
        self._maps["tasks"].update_task(os.getpid(), bytes(layout.Task(domain=domain)))

    def stands_in(self) -> int:
        """Which domain this process is in."""
        held = self._maps["tasks"].lookup_task(os.getpid())
        assert held is not None
        return int(layout.Task.from_buffer_copy(held).domain)

    def close(self) -> None:
        """Nothing of it is in the kernel any more."""
        self._cells.close()
        self.loaded.close()

    @contextmanager
    def holding(self, tables: Tables) -> Iterator[None]:
        """Within, the kernel decides by these tables."""
        try:
            self._publish(tables)
            yield
        finally:
            for name, key in self._written:
                self._maps[name].delete(key)
            self._written.clear()

    def _publish(self, tables: Tables) -> None:
        for (space, raw), number in tables.names.items():
            size, key = layout.name_key(raw, space)
            self._write(f"names_{size}", key, bytes(layout.NameValue(number, 0)))
        ids = {
            number: number | bool(each.standing_count) * layout.LIST_STANDING for number, each in tables.lists.items()
        }
        for name in ("rules", "clauses", "ranges", "intervals"):
            for (number, place), row in getattr(tables, name).items():
                self._write(name, bytes(layout.PlaceKey(ids[number], place)), bytes(row))
        for (number, operand), found in tables.found.items():
            self._write("found", bytes(layout.FoundKey(ids[number], operand)), bytes(found))
        for number, header in tables.lists.items():
            self._write("lists", bytes(c_uint32(ids[number])), bytes(header))
        for number, bit, first, second in tables.pairs:
            self._write("pairs", bytes(layout.PairKey(ids[number], bit, first, 0, second)), b"\1")
        for number, bit, port, version, address in tables.endpoints:
            key = bytes(layout.EndpointKey(ids[number], bit, port, version, (c_uint8 * 16)(*address)))
            self._write("endpoints", key, b"\1")
        for number, row in tables.domains.items():
            self._maps["domains"].update(number, bytes(row))
        for number, row in tables.profiles.items():
            self._maps["profiles_0"].update(number, bytes(row))
        for number, each in tables.bindings.items():
            own, shared = ids.get(each.list, 0), ids.get(each.shared, 0)
            self._maps["bindings_0"].update(number, bytes(layout.Binding(own, shared, each.profile, each.flags)))
        cells = tables.cells.tobytes()
        self._cells[: len(cells)] = cells

    def _write(self, name: str, key: bytes, value: bytes) -> None:
        self._maps[name].update(key, value)
        self._written.append((name, key))

    def ask(self, request: RawRequest, times: int = 1) -> Trial:
        """What the kernel says of the request."""
        facts = request.facts
        trial = Trial(
            family=layout.FAMILIES.index(request.family),
            domain=request.domain,
            asked=request.asked,
            target=request.target,
            ignore_first=int(request.ignore_first),
            address=(c_uint8 * 16)(*request.address),
            version=request.version,
            port=request.port,
            times=times,
            have_facts=1,
        )
        trial.facts.have, trial.facts.handler = facts.have, facts.handler
        trial.facts.values[:] = facts.values
        trial.numbers[: len(request.numbers)] = request.numbers
        third = facts.target if request.asked & _SYMLINK and request.family is layout.NAME else facts.realpath
        for text, raw in zip((trial.first, trial.second, trial.third), request.names, strict=False):
            fill(text, raw)
        if len(request.names) < 3:
            fill(trial.third, third)
        for number, raw in enumerate((*facts.argv, *facts.envp)):
            string = _Text()
            fill(string, raw)
            self._maps["trial_strings"].update(number, bytes(string))
        context = bytearray(trial)
        assert self.loaded.programs["trial_judge"].run(context) == 0
        return Trial.from_buffer(context)

    def run(self, name: str, trial: Trial) -> Trial:
        """What another of the programs makes of ``trial``."""
        context = bytearray(trial)
        assert self.loaded.programs[name].run(context) == 0
        return Trial.from_buffer(context)


def fill(text: _Text, raw: bytes) -> None:
    text.length = len(raw)
    ctypes.memmove(ctypes.addressof(text) + _Text.bytes.offset, raw, len(raw))


def answer_of(trial: Trial) -> Answer:
    """The kernel's answer as the walk gives it."""
    return Answer(
        trial.granted,
        trial.refused,
        trial.logged,
        trial.list & ~layout.LIST_STANDING,
        trial.entry,
        trial.candidate,
        trial.preference,
        trial.target_id,
        trial.move,
        trial.move_kind,
    )
