"""The engine in the kernel: maps, programs, what keeps them there, and the tasks that they hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from sekisho.engine.lsm import guards, hooks, layout
from sekisho.engine.lsm.compile.profiles import profile_row
from sekisho.engine.lsm.daemon import canary, machine, pins
from sekisho.engine.lsm.daemon.assignment import Assignment
from sekisho.engine.lsm.daemon.tasks import look_at
from sekisho.engine.lsm.kernel.kinds import Flavour
from sekisho.engine.lsm.kernel.loader import Loaded, Loader, Options
from sekisho.engine.lsm.kernel.maps import Map
from sekisho.engine.lsm.kernel.object import Object, read
from sekisho.engine.lsm.publish.kernel_maps import KernelMaps
from sekisho.engine.lsm.publish.publisher import Publisher
from sekisho.errors import NotSupported, UserError
from sekisho.policy.model import Config, Mode, Policy, Profile

_SLOTS_EACH: Final = 4
_SIZES: Final = {
    "names_32": 1 << 16, "names_64": 1 << 17, "names_128": 1 << 17, "names_256": 1 << 15, "names_1024": 1 << 13,
    "names_4096": 1 << 12, "found": 1 << 18, "rules": 1 << 18, "clauses": 1 << 16, "ranges": 1 << 16, "pairs": 1 << 17,
    "endpoints": 1 << 16, "intervals": 1 << 16, "words": 1 << 17, "replacements": 1 << 10, "controls": 1 << 14,
    "namespaces": 1 << 10,
}  # fmt: skip
"""How many entries tables have room for; what is empty takes sixteen bytes each."""


class System:
    """What is in the kernel, from this process's start of it on."""

    def __init__(
        self, policy: Policy, held: Iterable[Path], say: Callable[[str], None], flavour: Flavour, image: Object
    ) -> None:
        """Maps and programs are in the kernel, the maps of an earlier start among them; nothing runs yet."""
        self.policy = policy
        self.flavour = flavour
        self._held = tuple(held)
        self._say = say
        self._before = pins.folders()
        reuse = self._kept()
        for folder in self._before:
            pins.let_go(folder)
        processors = machine.processors()
        entries = _SIZES | {"scratches": processors * _SLOTS_EACH, "busy": processors}
        wanted = {name: size for name, size in entries.items() if name in image.maps}
        skipped = hooks.MODIFYING if flavour is Flavour.LSM else frozenset()
        self.loaded: Loaded = Loader().load(
            image,
            Options(
                flavour, wanted, reuse, wanted=lambda source: source.name not in skipped, log=3, prefix=guards.OWN_NAME
            ),
        )
        self.maps = KernelMaps(self.loaded.maps)
        self.state = self.maps.state
        self.publisher = Publisher(self.maps)
        self.folder: Path | None = None
        self._ids: tuple[list[int], list[int], list[int]] | None = None
        """Of maps, programs and links, once all of them are there."""
        self._guarded: Mapping[bytes, bytes] = {}
        self.leftover: list[bytes] = []
        """Events that an earlier start didn't come to read."""
        self.own: set[int] = set()
        """Domains that are the engine's own affair."""
        domains = self.publisher.domains
        self._assignment = Assignment(
            policy,
            self.loaded.maps["tasks"],
            lambda domain: domains.domain(domain.name),
            lambda number: policy.domains.get(domains.name(number) or ""),
        )

    def _kept(self) -> dict[str, Map]:
        """What this start goes on with. Raises UserError where that can't be."""
        whole = [folder for folder in self._before if pins.whole(folder)]
        if self._before and not (whole and pins.fits(whole[-1])):
            hint = "stop that first, which leaves nothing in force: sekisho system stop"
            raise UserError("what is in force was started by another version", hint)
        return pins.kept(whole[-1]) if whole else {}

    @classmethod
    def load(cls, policy: Policy, held: Iterable[Path], say: Callable[[str], None]) -> System:
        """The same, after a look at the machine; ``held`` are directories that are kept from others. NotSupported."""
        machine.check()
        return cls(policy, held, say, machine.flavour(), read(machine.OBJECT.read_bytes()))

    def start(self) -> None:
        """Policy is in force for every task, and stays so when this process ends. Raises NotSupported."""
        protected = self._reserve(guards.OWN_DOMAIN, layout.PROFILES - 1, None, layout.DOMAIN_PROTECTED)
        trial = self._reserve(f"{guards.OWN_DOMAIN} /{os.getpid()}", layout.PROFILES - 2, _REFUSES_ALL, 0)
        self._assignment.plan()
        self.publisher.publish(self.policy)
        self._assign_own(protected)
        self.loaded.attach()
        self._check_attached()
        self._assignment.assign()
        self.publisher.publish(self.policy)
        self.state.every_task = 1
        self.state.remembers = int(self.loaded.links.keys() >= hooks.REMEMBERING)
        before = [state for folder in self._before if (state := pins.state(folder)) is not None and state.active]
        # Whoever is killed from now on leaves this start's programs where the earlier ones' already are.
        self._pin()
        self._switch(before, on=True)
        if not canary.is_refused(lambda pid: self._confine(pid, trial)):
            self._give_up(before)
            raise NotSupported("programs run in the kernel, and yet refuse nothing: they are gone", _hint(self.flavour))
        if not before:
            self._correct()
        self._leave()

    def _switch(self, before: Iterable[layout.State], *, on: bool) -> None:
        """This start's programs are in force for each task that comes upon them, and those before until then; or the
        other way round. No task is ever held by none, for want of a moment at which all are in no hook."""
        if on:
            counts = self.maps.counts
            counts.starts += 1
            self.state.start = counts.starts
        for state in before:
            state.active = layout.ACTIVE_LEAVING if on else layout.ACTIVE
        self.state.active = layout.ACTIVE if on else 0

    def _give_up(self, before: Iterable[layout.State]) -> None:
        """All is as it was before this start."""
        self._switch(before, on=False)
        if self.folder is not None:
            pins.remove(self.folder)
        self.loaded.close()

    def _correct(self) -> None:
        """Who executed something while programs moved nobody is where that leads."""
        overtaken = self._assignment.overtaken()
        if overtaken:
            self.publisher.publish(self.policy)
            for process, given, domain in overtaken:
                self._assignment.correct(process, given, domain)

    def _reserve(self, name: str, slot: int, profile: Profile | None, flags: int) -> int:
        """The domain ``name``, which is the engine's own, will be in every book with that profile."""
        number = self.publisher.domains.domain(name)
        self.publisher.domains.describe(number, layout.DOMAIN_EXISTS | flags)
        row = profile_row(profile, None)
        self.publisher.books.reserved[number] = (layout.Binding(profile=slot), row)
        self.own.add(number)
        return number

    def _assign_own(self, domain: int) -> None:
        self.state.daemon = os.getpid()
        own = look_at(os.getpid())
        self.state.daemon_started = own.started if own is not None else 0
        self.loaded.maps["tasks"].update_task(os.getpid(), layout.Task(domain=domain))

    def guarded_by(self, pid: int) -> None:
        """The process ``pid`` is held as the daemon itself is."""
        guardian = look_at(pid)
        if guardian is not None:
            self.state.guardian_started, self.state.guardian = guardian.started, pid

    def _confine(self, pid: int, domain: int) -> None:
        self.loaded.maps["tasks"].update_task(pid, layout.Task(domain=domain))

    def _check_attached(self) -> None:
        """Says which programs are missing. Raises NotSupported where it is those that follow tasks."""
        failures = self.loaded.failures
        for name, failure in failures.items():
            if not failure.absent:
                self._say(
                    f"not in force: {name} ({failure.section}): {failure.reason} {' '.join(failure.log)}".rstrip()
                )
        needed = [name for name in _NEEDED if name not in self.loaded.links]
        if needed:
            self.loaded.close()
            reasons = dict.fromkeys(failures[name].reason for name in needed if name in failures)
            raise NotSupported(f"the kernel doesn't take {', '.join(needed)}: {'; '.join(reasons) or 'not known why'}")

    def _pin(self) -> None:
        self.folder = pins.fresh()
        mine = guards.Guards()
        mine.directory(self.folder)
        for folder in self._before:
            pins.hold(folder, mine)
        pins.pin(self.folder, pins.MAPS, self.loaded.maps)
        pins.pin(self.folder, pins.LINKS, self.loaded.links)
        self.guard()

    def _leave(self) -> None:
        """Nothing of earlier starts is in force."""
        for folder in self._before:
            pins.remove_links(folder)
            self.leftover += pins.leftover(folder)
            pins.let_go(folder)
            pins.remove(folder)
        self._before = []

    def guard(self) -> None:
        """Nobody but managers gets at what is in force, or at its policy, in directories that are there now."""
        loaded = self.loaded
        if self._ids is None:
            programs = [program.facts().id for program in loaded.programs.values()]
            self._ids = (
                [each.id for each in loaded.maps.values()],
                programs,
                [each.id for each in loaded.links.values()],
            )
        held = guards.of(*self._ids, [pins.ROOT, *self._held])
        rows, before = held.raw(), self._guarded
        if rows != before:
            loaded.maps["guards"].update_many(b"".join(rows), b"".join(rows.values()))
            loaded.maps["sieves"].update(bytes(4), held.sieve())
            loaded.maps["guards"].delete_many(b"".join(key for key in before if key not in rows))
            self._guarded = rows

    def earlier(self, most: int) -> list[bytes]:
        """The oldest events, so many at most, that an earlier start didn't come to read; they aren't kept."""
        found, self.leftover[:most] = self.leftover[:most], []
        return found

    def trusts(self, pid: int) -> bool:
        """Whether process ``pid`` may do with the engine what it likes: a manager, or one that nothing is refused."""
        carried = self.loaded.maps["tasks"].lookup_task(pid)
        number = layout.Task.from_buffer_copy(carried).domain if carried is not None else layout.KERNEL_DOMAIN
        if self.publisher.domains.record(number).flags & (layout.DOMAIN_MANAGER | layout.DOMAIN_PROTECTED):
            return True
        domain = self.policy.domains.get(self.publisher.domains.name(number) or "")
        if not self.state.active or domain is None:
            return not self.state.active
        return self.policy.config(domain, "file::execute").mode is not Mode.ENFORCING

    def panic(self) -> None:
        """Everything is allowed, and nobody moves to another domain."""
        try:
            self._assignment.remember()
        finally:
            self.state.active = 0

    def resume(self) -> None:
        """Policy is in force again, for what began or executed something meanwhile, too."""
        self._correct()
        self.state.active = layout.ACTIVE
        self._correct()

    def stop(self) -> None:
        """Nothing is in force any more. What is in the kernel goes with this process, which takes it some seconds."""
        self.state.active = 0
        pins.remove_all()


_REFUSES_ALL: Final = Profile(configs={"": Config(Mode.ENFORCING, False, False)})
_NEEDED: Final = tuple(program.name for program in hooks.PROGRAMS.values() if program.purpose == hooks.LINEAGE)


def _hint(flavour: Flavour) -> str:
    if flavour is Flavour.LSM:
        return "this is Sekisho's mistake: report it with the output of: uname -a; cat /sys/kernel/security/lsm"
    return "add bpf to the kernel's list of LSMs (lsm=...,bpf on its command line)"
