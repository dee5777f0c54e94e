"""In the machine: the systems that are compared, each with a domain of 10, 100, 1,000 and 10,000 rules.

Every system has the same rules: those that the measured program needs come last, after as many for files that it never
touches as make up the number.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

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
        self.program = copy(program, self.name)


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


def write(path: Path, text: str) -> None:
    """Line by line and in one go, as the interface takes it."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        raw = text.encode()
        while raw:
            raw = raw[os.write(descriptor, raw) :]
    finally:
        os.close(descriptor)
