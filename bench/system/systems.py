"""In the machine: the systems that are compared, each with a domain of 10, 100, 1,000 and 10,000 rules.

Every system has the same rules: those that the measured program needs come last, after as many for files that it never
touches as make up the number.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from sekisho.store.directory import PolicyDirectory

FOLDER: Final = Path("/bench")
SECURITY: Final = Path("/sys/kernel/security")


def prepare(program: Path) -> None:
    """The files that the program works on are there."""
    deep = FOLDER / "a/b/c/d/e/f/g/h"
    deep.mkdir(parents=True)
    for name in (FOLDER / "file", deep / "file", FOLDER / "one", FOLDER / "forbidden"):
        name.write_text("something\n")
    copy(program, "nothing")


def copy(program: Path, name: str) -> Path:
    """The program under a name of its own, by which systems know it."""
    target = FOLDER / name
    shutil.copy(program, target)
    target.chmod(0o755)
    return target


def needed() -> list[str]:
    """What the program does, as TOMOYO and Sekisho write it."""
    deep = f"{FOLDER}/a/b/c/d/e/f/g/h/file"
    return [
        f"file read/getattr {FOLDER}/file",
        f"file read/getattr {deep}",
        f"file write/unlink {FOLDER}/made",
        f"file create {FOLDER}/made 0600-0666",
        f"file write/unlink {FOLDER}/new\\$",
        f"file create {FOLDER}/new\\$ 0600-0666",
        f"file rename {FOLDER}/one {FOLDER}/other",
        f"file rename {FOLDER}/other {FOLDER}/one",
        f"file execute {FOLDER}/nothing",
        "network inet dgram send 127.0.0.1 9",
    ]


def rules(count: int) -> list[str]:
    """A domain's entries."""
    last = needed()
    return [f"file read {FOLDER}/filler/{number:05d}.conf" for number in range(count - len(last))] + last


class System(Protocol):
    """What is compared: a name, and the program that it holds to its rules."""

    name: str
    program: Path


class Nothing:
    """The kernel as it is."""

    def __init__(self, program: Path) -> None:
        self.name = "nothing"
        # What it executes is another file than it is itself, as for the others: pages that are shared cost less.
        self.program = copy(program, "plain")


class AppArmor:
    """One profile for each size, enforced by the name of the program."""

    def __init__(self, program: Path, size: int) -> None:
        self.name = f"AppArmor {size}"
        self.program = copy(program, f"apparmor{size}")
        text = "\n".join([f"{self.program} {{", *self.rules(size), "}"])
        subprocess.run(["apparmor_parser", "-K", "-r"], input=text, text=True, check=True)

    def rules(self, size: int) -> Iterator[str]:
        """The same in AppArmor's language, which asks nobody about attributes."""
        deep = f"{FOLDER}/a/b/c/d/e/f/g/h/file"
        last = [
            f"{FOLDER}/file r,",
            f"{deep} r,",
            f"{FOLDER}/made rw,",
            f"{FOLDER}/new[0-9]* rw,",
            f"{FOLDER}/one rw,",
            f"{FOLDER}/other rw,",
            f"{FOLDER}/nothing rmix,",
            f"{self.program} rm,",
            "network inet dgram,",
        ]
        for number in range(size - len(last)):
            yield f"  {FOLDER}/filler/{number:05d}.conf r,"
        yield from (f"  {line}" for line in last)


class Tomoyo:
    """One domain of the kernel's TOMOYO for each size."""

    def __init__(self, program: Path, size: int) -> None:
        self.name = f"TOMOYO {size}"
        self.program = copy(program, f"tomoyo{size}")
        folder = SECURITY / "tomoyo"
        started = f"initialize_domain {self.program} from any\nkeep_domain {FOLDER}/nothing from any\n"
        write(folder / "exception_policy", started)
        domain = f"<kernel> {self.program}"
        write(folder / "domain_policy", "\n".join([domain, "use_profile 3", *rules(size), ""]))


class Sekisho:
    """One domain of Sekisho: unconfined, learning or enforcing a policy that grants everything."""

    def __init__(self, program: Path, what: str, profile: int, size: int) -> None:
        self.name = f"Sekisho {what}"
        self.program = copy(program, f"sekisho-{what.replace(' ', '')}")
        self.domain = "\n".join([f"<kernel> {self.program}", f"use_profile {profile}", *rules(size), "", ""])


class Engine:
    """The BPF engine, started and stopped as an administrator does it."""

    def __init__(self, systems: list[Sekisho]) -> None:
        """The policy directory holds the domains of ``systems``."""
        self.directory = Path("/var/lib/sekisho-bench")
        directory = PolicyDirectory(self.directory)
        directory.create()
        started = "".join(f"initialize_domain {each.program} from any\n" for each in systems)
        exception = self.directory / "exception_policy.conf"
        exception.write_text(f"{exception.read_text()}{started}keep_domain {FOLDER}/nothing from any\n")
        domain = self.directory / "domain_policy.conf"
        domain.write_text(domain.read_text() + "".join(each.domain for each in systems))

    def start(self) -> None:
        """Policy is in force."""
        self._run("start")

    def stop(self) -> None:
        """Nothing of it is in the kernel any more."""
        self._run("stop")

    def _run(self, action: str) -> None:
        words = [sys.executable, "-m", "sekisho", "system", "-P", str(self.directory), action]
        subprocess.run(words, check=True, stdout=sys.stderr)


def write(path: Path, text: str) -> None:
    """Line by line and in one go, as the interface takes it."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        raw = text.encode()
        while raw:
            raw = raw[os.write(descriptor, raw) :]
    finally:
        os.close(descriptor)
