"""An object of ours in the kernel: maps made, programs loaded one by one, so that one failing fails no other."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from sekisho.engine.lsm.kernel.handle import Handle
from sekisho.engine.lsm.kernel.kinds import Flavour, Kind, kind
from sekisho.engine.lsm.kernel.loading import Request, complaint, load, load_types
from sekisho.engine.lsm.kernel.maps import HASH, INODE_STORAGE, Map
from sekisho.engine.lsm.kernel.object import MapShape, Object, Source
from sekisho.engine.lsm.kernel.program import Link, Program
from sekisho.engine.lsm.kernel.refusal import explain, refused
from sekisho.engine.lsm.kernel.targets import Targets
from sekisho.errors import UserError

_MODIFY_RETURN: Final = "modify_return"
"""The variable that tells programs which of the two they are; where it isn't 0 they do without what isn't to be had."""
_EVERY: Final[Callable[[Source], bool]] = lambda source: True  # noqa: E731


@dataclass(frozen=True, slots=True)
class Options:
    """How an object is loaded.

    ``entries`` are sizes of maps by name; ``reuse`` are maps that are there already; ``values`` are what variables
    begin with. ``log`` is how many of the verifier's last lines a failure keeps. ``threads`` verify at the same time.
    In the kernel all names begin with ``prefix``.
    """

    flavour: Flavour = Flavour.LSM
    entries: Mapping[str, int] = field(default_factory=dict)
    reuse: Mapping[str, Map] = field(default_factory=dict)
    values: Mapping[str, bytes] = field(default_factory=dict)
    wanted: Callable[[Source], bool] = _EVERY
    log: int = 0
    threads: int = 1
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A program that isn't in the kernel, or doesn't run there, and why. ``absent``: this kernel has no such hook."""

    section: str
    reason: str
    absent: bool = False
    log: tuple[str, ...] = ()


@dataclass(slots=True)
class Loaded:
    """What has come of it: programs and failures are by the names of the programs, maps by theirs."""

    maps: dict[str, Map]
    programs: dict[str, Program] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)

    def attach(self, names: Iterable[str] | None = None) -> None:
        """The programs of those names, or all that attach to something, run; those that can't are failures."""
        for name in self.programs if names is None else names:
            program = self.programs[name]
            if program.kind is None or not program.kind.attaches or name in self.links:
                continue
            try:
                self.links[name] = program.attach()
            except OSError as error:
                self.failures[name] = Failure(program.kind.target, f"isn't attached: {explain(error)[0]}")

    def close(self) -> None:
        """All descriptors are gone, also those of maps that were reused."""
        handles: list[Handle] = [*self.links.values(), *self.programs.values(), *self.maps.values()]
        for handle in handles:
            handle.close()


class Loader:
    """Loads objects into the running kernel."""

    def __init__(self) -> None:
        self.targets = Targets()

    def load(self, image: Object, options: Options = Options()) -> Loaded:
        """``image`` in the kernel. Raises NotSupported where not even its maps can be made; UserError."""
        try:
            types = load_types(image.types)
        except OSError as error:
            raise refused("types of the engine's programs", error) from error
        try:
            loaded = Loaded(self._maps(image, options, types))
            try:
                self._programs(image, options, types, loaded)
            except BaseException:
                loaded.close()
                raise
        finally:
            os.close(types)
        return loaded

    def _maps(self, image: Object, options: Options, types: int) -> dict[str, Map]:
        made: dict[str, Map] = {}
        try:
            for name, shape in _initialised(image, _told(image, options)).items():
                if name in options.reuse:
                    options.reuse[name].check(shape)
                    made[name] = options.reuse[name]
                else:
                    shape, entries = _to_be_had(shape, options), options.entries.get(name, 0)
                    made[name] = Map.make(shape, entries, types, options.prefix)
        except BaseException:
            for name, each in made.items():
                if name not in options.reuse:
                    each.close()
            raise
        return made

    def _programs(self, image: Object, options: Options, types: int, loaded: Loaded) -> None:
        descriptors = {name: each.fileno() for name, each in loaded.maps.items()}
        sources = [source for source in image.programs.values() if options.wanted(source)]

        def one(source: Source) -> Program | Failure:
            return self._program(source, image, options, types, descriptors)

        if options.threads > 1:
            with ThreadPoolExecutor(options.threads) as pool:
                results = list(pool.map(one, sources))
        else:
            results = [one(source) for source in sources]
        for source, result in zip(sources, results, strict=True):
            if isinstance(result, Program):
                loaded.programs[source.name] = result
            else:
                loaded.failures[source.name] = result

    def _program(
        self, source: Source, image: Object, options: Options, types: int, descriptors: Mapping[str, int]
    ) -> Program | Failure:
        what = kind(source.section, options.flavour)
        if what is None:
            return Failure(source.section, "a section of no known kind")
        try:
            target = self.targets.find(what.target, what.target_kind) if what.target else 0
        except OSError as error:
            return Failure(source.section, explain(error)[0])
        if what.target and not target:
            return Failure(source.section, f"this kernel has no {what.target}", absent=True)
        request = Request(
            source.name, source.code.bound(descriptors), what, target, types, source.code, image.note_sizes,
            image.license, options.prefix,
        )  # fmt: skip
        return _load(request, source, what, options.log)


def _load(request: Request, source: Source, what: Kind, lines: int) -> Program | Failure:
    try:
        return Program(load(request), source.name, what)
    except OSError as error:
        log = tuple(complaint(request, lines)) if lines else ()
        return Failure(source.section, explain(error)[0], log=log)


def _to_be_had(shape: MapShape, options: Options) -> MapShape:
    """Nothing is kept with inodes unless bpf is an LSM: an empty table has the place of what then isn't used."""
    if options.flavour is Flavour.LSM or shape.type != INODE_STORAGE:
        return shape
    return replace(shape, type=HASH, entries=1)


def _told(image: Object, options: Options) -> Mapping[str, bytes]:
    """What variables begin with, the one among them that tells of the flavour."""
    if options.flavour is Flavour.LSM or _MODIFY_RETURN not in image.variables:
        return options.values
    return {**options.values, _MODIFY_RETURN: struct.pack("=I", 1)}


def _initialised(image: Object, values: Mapping[str, bytes]) -> dict[str, MapShape]:
    """The shapes of the maps, those of variables with the values that are asked for."""
    shapes = dict(image.maps)
    for name, value in values.items():
        variable = image.variables.get(name)
        if variable is None or variable.size != len(value):
            raise UserError(f"the engine's programs have no variable {name} of {len(value)} bytes")
        shape = shapes[variable.section]
        contents = bytearray(shape.contents)
        contents[variable.offset : variable.offset + variable.size] = value
        shapes[variable.section] = replace(shape, contents=bytes(contents))
    return shapes
