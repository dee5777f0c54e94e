"""In a virtual machine: what is remembered of a file never outlives the name that it was granted for.

usage: guest_remembered.py OBJECT; prints the outcomes of each step.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.engine.lsm.enforced import Engine

from sekisho.engine.lsm.daemon import machine
from sekisho.policy.parser import parse_domain_policy

PLACE = Path("/run/place")
FILE = PLACE / "dir/sub/file"
OTHER = PLACE / "dir/sub/other"
READER, WRITER = "<kernel> /reader", "<kernel> /writer"
POLICY = f"""{READER}
use_profile 3

file read {FILE}
file read {PLACE}/dir/sub/made

{WRITER}
use_profile 3

file read/write {FILE}
"""
AT_FDCWD, RENAME_EXCHANGE = -100, 2
ROUNDS = 300


def opened(path: Path, flags: int = os.O_RDONLY) -> Callable[[], object]:
    """Opens the file twice over, so that the second time finds what the first has left."""

    def act() -> None:
        for _ in range(3):
            os.close(os.open(path, flags))

    return act


class Steps:
    """Each step changes something; what then comes of opening is kept."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.outcomes: dict[str, list[str]] = {}

    def step(self, name: str, *paths: Path, domain: str = READER, flags: int = os.O_RDONLY) -> None:
        self.outcomes[name] = [self.engine.attempt(domain, opened(path, flags)) for path in paths]


def exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def directories(steps: Steps) -> None:
    """Above the file something gets another name."""
    steps.step("as it is", FILE, OTHER)
    (PLACE / "dir").rename(PLACE / "moved")
    steps.step("directory renamed", PLACE / "moved/sub/file")
    (PLACE / "moved").rename(PLACE / "dir")
    steps.step("directory back", FILE)
    (PLACE / "dir/sub").rename(PLACE / "sub")
    steps.step("moved up", PLACE / "sub/file")
    (PLACE / "sub").rename(PLACE / "dir/sub")
    (PLACE / "else/sub").mkdir(parents=True)
    (PLACE / "else/sub/file").write_text("else")
    exchange(PLACE / "dir/sub", PLACE / "else/sub")
    steps.step("exchanged directories", FILE, PLACE / "else/sub/file")
    exchange(PLACE / "dir/sub", PLACE / "else/sub")
    steps.step("exchanged back", FILE)


def files(steps: Steps) -> None:
    """The file itself gets another name, or more."""
    FILE.rename(FILE.with_name("renamed"))
    steps.step("file renamed", FILE.with_name("renamed"))
    FILE.with_name("renamed").rename(FILE)
    steps.step("file back", FILE)
    exchange(FILE, OTHER)
    steps.step("exchanged files", FILE, OTHER)
    exchange(FILE, OTHER)
    os.link(FILE, FILE.with_name("linked"))
    steps.step("linked", FILE, FILE.with_name("linked"))
    FILE.unlink()
    steps.step("only the link is left", FILE.with_name("linked"))
    FILE.with_name("linked").rename(FILE)
    FILE.unlink()
    FILE.write_text("new")
    steps.step("another file", FILE)


def mounts(steps: Steps) -> None:
    """The file is where it was and elsewhere."""
    (PLACE / "bound").mkdir()
    mount("--bind", PLACE / "dir/sub", PLACE / "bound")
    steps.step("bound", FILE, PLACE / "bound/file")
    subprocess.run(["umount", PLACE / "bound"], check=True)
    mount("--bind", PLACE / "else", PLACE / "bound")
    (PLACE / "bound/inner").mkdir()
    mount("-t", "tmpfs", "tmpfs", PLACE / "bound/inner")
    mount("--make-rprivate", "/")
    (PLACE / "target").mkdir()
    mount("--move", PLACE / "bound/inner", PLACE / "target")
    (PLACE / "target/file").write_text("x")
    steps.step("moved mount", PLACE / "target/file", FILE)
    subprocess.run(["umount", PLACE / "target"], check=True)
    subprocess.run(["umount", PLACE / "bound"], check=True)
    steps.step("unmounted", FILE)


def domains(steps: Steps) -> None:
    """Whoever may do more doesn't let others do it."""
    for _ in range(2):
        steps.step("writer", FILE, domain=WRITER, flags=os.O_RDWR)
        steps.step("reader writes", FILE, flags=os.O_RDWR)
        steps.step("reader reads", FILE)
    domain = steps.engine.policy.domains[READER]
    domain.entries[:] = domain.entries[1:]
    domain.generation += 1
    steps.engine.publisher.publish(steps.engine.policy)
    steps.step("line taken away", FILE)
    parse_domain_policy(f"{READER}\nfile read {FILE}\n", steps.engine.policy)
    steps.engine.publisher.publish(steps.engine.policy)
    steps.step("line given back", FILE)


def race(steps: Steps) -> None:
    """The directory goes back and forth while it is read: what is refused under one name stays so."""
    moved = PLACE / "moved/sub/file"
    pid = os.fork()
    if not pid:
        for _ in range(ROUNDS * 5):
            (PLACE / "dir").rename(PLACE / "moved")
            (PLACE / "moved").rename(PLACE / "dir")
        os._exit(0)

    def act() -> None:
        for _ in range(ROUNDS):
            try:
                os.close(os.open(FILE, os.O_RDONLY))
            except (FileNotFoundError, PermissionError):
                continue

    steps.outcomes["race"] = [steps.engine.attempt(READER, act)]
    os.waitpid(pid, 0)
    (PLACE / "dir").rename(PLACE / "moved")
    steps.step("after the race", moved)
    (PLACE / "moved").rename(PLACE / "dir")


def main() -> None:
    PLACE.mkdir()
    mount("-t", "tmpfs", "tmpfs", PLACE)
    FILE.parent.mkdir(parents=True)
    FILE.write_text("file")
    OTHER.write_text("other")
    engine = Engine(Path(sys.argv[1]), POLICY, ["file_open"])
    engine.maps.state.rename_lock = machine.address("rename_lock")
    steps = Steps(engine)
    for part in (directories, files, mounts, domains, race):
        part(steps)
    steps.step("in the end", FILE)
    with FILE.open() as file:
        kept = engine.loaded.maps["remembered"].lookup(file.fileno())
    for name, outcomes in steps.outcomes.items():
        print(f"{name}: {' '.join(outcomes)}")
    print(f"kept: {bool(kept and any(kept))}")


if __name__ == "__main__":
    main()
