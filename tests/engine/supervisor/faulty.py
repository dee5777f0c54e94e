"""A scene under supervision in which one system call of the supervisor's goes wrong, and what came of it."""

from __future__ import annotations

import errno
import functools
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.engine.supervisor.supervised import Supervised

from sekisho.policy.printer import print_acl
from sekisho.store.directory import PolicyDirectory

HERE = Path(__file__).resolve().parent
PATIENCE = 20.0
"""Seconds after which a scene of half a second counts as one that hangs."""


@functools.cache
def numbers() -> dict[str, int]:
    """The system calls of this machine, by name."""
    headers = subprocess.run(
        ["gcc", "-E", "-dM", "-"], input=b"#include <sys/syscall.h>", stdout=subprocess.PIPE, check=True, timeout=60
    ).stdout.decode()
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) ([0-9]+)", headers)}


@dataclass(frozen=True)
class Fault:
    """The ``nth`` call (of an ioctl: ``request``) of ``who`` goes wrong in the way ``what`` says (injector.c)."""

    who: str
    call: int
    request: int
    nth: int
    what: str

    def __str__(self) -> str:
        name = next((name for name, number in numbers().items() if number == self.call), "nothing")
        code = errno.errorcode.get(int(self.what[1:]), "") if self.what[0] in "-~" else ""
        return f"{self.who}-{name}{f'({self.request:x})' if self.request else ''}-{self.nth}-{self.what[0]}{code}"


@dataclass
class Outcome:
    """What a scene said of itself, what the user was told, and what it left."""

    status: int
    said: list[tuple[str, int]]
    told: str
    hung: bool
    injected: bool
    seconds: float
    left: list[int] = field(default_factory=list)


class Theatre:
    """The scene's programs below ``folder``; every play has a policy directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plays = 0
        folder.chmod(0o755)
        for name, target in (("injector", "injector"), ("scene", "scene")):
            build(HERE / f"{name}.c", folder / target)
        source = folder / "prog.c"
        source.write_text("int main(void) { return 200; }\n")
        build(source, folder / "prog")

    def stage(self) -> Play:
        """A new place, everything in it."""
        self.plays += 1
        place = self.folder / f"play{self.plays}"
        for name in ("allowed", "forbidden"):
            (place / name).mkdir(parents=True)
            os.link(self.folder / "prog", place / name / "prog")
        os.link(self.folder / "scene", place / "scene")
        for name in ("plain", "other"):
            (place / "allowed" / name).write_text(name)
        (place / "forbidden/secret").write_text("secret")
        return Play(self, place)

    def calls(self, verb: str, who: str) -> list[tuple[int, int]]:
        """Every call (and request) that ``who`` makes when nothing goes wrong, in order."""
        play = self.stage()
        outcome = play.play(verb, Fault(who, -1, 0, 0, "x"))
        assert outcome.status == 0, outcome
        lines = play.log.read_text().splitlines()
        return [(int(call), int(request)) for call, request in map(str.split, lines)]


def build(source: Path, target: Path) -> None:
    """``target`` is the program, for which nothing but itself is needed."""
    subprocess.run(["gcc", "-O1", "-Wall", "-static", "-o", target, source], check=True, timeout=120)


class Play:
    """One scene, played once."""

    def __init__(self, theatre: Theatre, place: Path) -> None:
        self.theatre, self.place = theatre, place
        self.log = place / "log"
        self.policy = Supervised(place / "policy")
        self.domain = f"<kernel> {place}/scene"

    def lines(self) -> dict[str, tuple[str, str]]:
        """(domain, line) that policy needs for each thing that the scene does."""
        inner = f"{self.domain} {self.place}/allowed/prog"
        names = {
            "read": f"file read {self.place}/allowed/plain",
            "create": f"file create {self.place}/allowed/new 0600",
            "rename": f"file rename {self.place}/allowed/new {self.place}/allowed/renamed",
            "unlink": f"file unlink {self.place}/allowed/renamed",
            "connect": "network inet dgram send 127.0.0.1 9",
            "execute": f"file execute {self.place}/allowed/prog",
        }
        return {**{name: (self.domain, line) for name, line in names.items()}, "": (inner, "misc env \\*")}

    def allow(self) -> None:
        """Policy has what is allowed, and holds the scene to it."""
        domains: dict[str, set[str]] = {self.domain: {"misc env \\*", f"file write {self.place}/allowed/new"}}
        for name, line in self.lines().values():
            domains.setdefault(name, set()).add(line)
        self.policy.write(domains)

    def play(self, verb: str, fault: Fault) -> Outcome:
        """It is over, or has been ended because it took too long."""
        if verb == "run":
            self.allow()
        injector = [str(self.theatre.folder / "injector"), fault.who, str(self.log), str(fault.call)]
        injector += [str(fault.request), str(fault.nth), fault.what]
        command = self.policy.arguments(verb, self.place / "scene", self.place)
        said, told = self.place / "said", self.place / "told"
        begun = time.monotonic()
        with said.open("wb") as out, told.open("wb") as err:
            process = subprocess.Popen(
                [*injector, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env=self.policy.environment(), start_new_session=True,
            )  # fmt: skip
            hung = False
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                hung = True
        took = time.monotonic() - begun
        left = [] if hung else self._left()
        self._end(process)
        lines = [line.split() for line in said.read_text().splitlines()]
        return Outcome(
            process.returncode, [(name, int(code)) for name, code in lines], told.read_text(errors="replace"), hung,
            "injected" in self.log.read_text(), took, left,
        )  # fmt: skip

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        for pid in self._running():
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()

    def _left(self) -> list[int]:
        """Processes of the scene that still are there a moment after its end."""
        end = time.monotonic() + 3
        while (found := self._running()) and time.monotonic() < end:
            time.sleep(0.02)
        return found

    def _running(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes()
                    state = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0]
                except OSError:
                    continue
                if os.fsencode(f"{self.place}/") in words and state not in b"ZX" and int(entry.name) != os.getpid():
                    found.append(int(entry.name))
        return found

    def missing(self, outcome: Outcome) -> set[str]:
        """What was done and stands neither in the policy on disk nor in a journal of a killed run."""
        held = PolicyDirectory(self.policy.path).load()
        known = [(domain.name, print_acl(entry)) for domain in held.domains.values() for entry in domain.entries]
        done = {name for name, code in outcome.said if not code}
        wanted = [pair for name, pair in self.lines().items() if name in done]
        return {
            line for domain, line in wanted if not any(domain == name and text.startswith(line) for name, text in known)
        }
