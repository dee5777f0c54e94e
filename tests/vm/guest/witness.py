"""In the guest: the kernel's own TOMOYO looks on while hostile programs run in an enforcing domain of an engine.

``python -m tests.vm.guest.witness ENGINE SECONDS PROGRAMS``: PROGRAMS has what is compiled (tests/bypass/guest.py). One
JSON line: what the witness saw in each domain (``seen``), the policy that was in force (``policy``), what was refused.

TOMOYO's domains are in learning mode and refuse nothing; of what BPF refuses it doesn't hear, since it is asked later.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.bypass import arena as arenas
from tests.bypass import guest, policies
from tests.bypass.arena import Arena
from tests.engine.supervisor.supervised import Supervised
from tests.vm.guest import kernel

PLACE = Path("/run/witnessed")
WATCHER = Path("/run/watcher")
"""A name for Python of the supervisor's own, by which the witness tells it from others."""
SOURCES = ("wanderer.c", "attacks.c", "traced.c", "races.c")
PREPARE: dict[str, Callable[[Arena], None]] = {"traced.c": policies.tracing, "races.c": policies.racing}
RACES = 1000
LEARNING = "use_profile 1\nuse_group 0\n"


def wandering(arena: Arena) -> None:
    """wanderer.c has more to lose itself in; what it may do is generous where that must not help."""
    for name in ("mount", "tmp"):
        (arena.folder / "allowed" / name).mkdir()
    (arena.folder / "allowed" / "script").write_text("#!" + str(arena.folder / "allowed" / "prog") + "\n")
    (arena.folder / "allowed" / "script").chmod(0o755)
    mine = f"{arena.folder}/allowed"
    arena.allow(
        f"file chmod {mine}/\\* 0-07777",
        f"file chown/chgrp {mine}/\\* 0-4294967295",
        f"file mkfifo/mksock {mine}/\\* 0-0777",
        f"file read {mine}/script",
        "file read/write/append /dev/null",
        f"network unix stream bind/listen/connect {mine}/\\*",
    )


def arenas_in(stack: ExitStack, folder: Path) -> dict[str, Arena]:
    """An arena for each program."""
    found = {}
    for source in SOURCES:
        (folder / source).mkdir(parents=True)
        found[source] = stack.enter_context(arenas.arena(folder / source, source))
        PREPARE.get(source, wandering if source == "wanderer.c" else lambda arena: None)(found[source])
    return found


def words(source: str, arena: Arena, victim: int, seconds: int, seed: int) -> list[str]:
    """The command line of a hostile program."""
    if source != "wanderer.c":
        return arena.arguments(victim, RACES, *(name for name in arenas.names(source) if name != policies.VANISHING))
    own = [str(each) for each in (arena.tool, arena.folder, seconds, seed, *arena.ports)]
    return [*own, str(victim)] if victim else own


@contextmanager
def refreshed(arena: Arena, source: str) -> Iterator[None]:
    """What the program may have destroyed is there again."""
    if source == "races.c":
        with policies.victims(arena, lasting=True):
            yield
    else:
        yield


def watched(arenas_of: dict[str, Arena]) -> None:
    """The witness looks on from here on."""
    for each in (WATCHER, *(arena.tool for arena in arenas_of.values())):
        kernel.write("exception_policy", f"initialize_domain {each} from any\n")
        kernel.write("domain_policy", f"<kernel> {each}\n{LEARNING}")


def seen() -> dict[str, list[str]]:
    """What the witness has seen, by domain."""
    found = kernel.sections(kernel.read("domain_policy"), "<kernel>")
    return {name: lines for name, lines in found.items() if "use_profile 1" in lines}


def rounds(seconds: int) -> Iterator[tuple[str, int, int]]:
    """Programs, for how long and from which seed, until the time is over: every program at least once."""
    end = time.monotonic() + seconds
    for source in SOURCES[1:]:
        yield source, 0, 0
    seed = 0
    while (left := int(end - time.monotonic())) > 0 or not seed:
        yield "wanderer.c", max(min(left, 120), 20), seed * 1000
        seed += 1


class System:
    """``sekisho system`` holds all of them at once."""

    def begin(self, arenas_of: dict[str, Arena]) -> None:
        """It is in force, from the directory that the attacks are against."""
        first = self.first = arenas_of["attacks.c"].policy
        domains: dict[str, set[str]] = {}
        for arena in arenas_of.values():
            domains |= {name: lines for name, lines in arena.policy.entries().items() if name != "<kernel>"}
        first.write(domains)
        with open(first.path / "exception_policy.conf", "a") as file:
            file.writelines(f"initialize_domain {arena.tool} from any\n" for arena in arenas_of.values())
        guest.sekisho("start", "-P", str(first.path))
        self.daemon = json.loads(guest.sekisho("status", "--json"))["pid"]

    def policy(self, arena: Arena) -> Supervised:
        """What the arena's program is held to."""
        del arena
        return self.first

    def run(self, source: str, arena: Arena, seconds: int, seed: int) -> None:
        """The program has run."""
        subprocess.run(words(source, arena, self.daemon, seconds, seed), check=False, stdout=sys.stderr)

    def end(self) -> dict[str, Any]:
        """What it says of itself."""
        status: dict[str, Any] = json.loads(guest.sekisho("status", "--json"))
        return status


class Supervisor:
    """``sekisho run``, one for each program, whose Python goes by a name of its own."""

    def begin(self, arenas_of: dict[str, Arena]) -> None:
        """It can be started."""
        os.symlink(os.path.realpath(sys.executable), WATCHER)
        for arena in arenas_of.values():
            arena.policy.python = str(WATCHER)

    def policy(self, arena: Arena) -> Supervised:
        """What the arena's program is held to."""
        return arena.policy

    def run(self, source: str, arena: Arena, seconds: int, seed: int) -> None:
        """The program has run."""
        done = arena.policy.run(*words(source, arena, 0, seconds, seed), timeout=1500 + seconds)
        print(source, done.status, done.out[-2000:], done.err[-2000:], file=sys.stderr, flush=True)
        assert "Traceback" not in done.err, done.err

    def end(self) -> dict[str, Any]:
        """There is nothing left of it."""
        return {}


ENGINES: dict[str, Callable[[], System | Supervisor]] = {"system": System, "supervisor": Supervisor}


def main() -> None:
    engine, seconds = ENGINES[sys.argv[1]](), int(sys.argv[2])
    guest.take_compiled(Path(sys.argv[3]))
    with ExitStack() as stack:
        held = arenas_in(stack, PLACE)
        engine.begin(held)
        watched(held)
        for source, long, seed in rounds(seconds):
            with refreshed(held[source], source):
                engine.run(source, held[source], long, seed)
        policies_of = {source: engine.policy(arena) for source, arena in held.items()}
        told = {
            "seen": seen(),
            "policy": {source: (each.path / "domain_policy.conf").read_text() for source, each in policies_of.items()},
            "refused": {source: len(set(each.rejected())) for source, each in policies_of.items()},
            "status": engine.end(),
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
