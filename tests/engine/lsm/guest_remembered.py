"""In a virtual machine: what is remembered of a file or a directory never outlives the name that it was granted for.

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

from sekisho.engine.lsm import hooks
from sekisho.policy.parser import parse_domain_policy

PLACE = Path("/run/place")
FILE = PLACE / "dir/sub/file"
OTHER = PLACE / "dir/sub/other"
SUB = PLACE / "dir/sub"
READER, WRITER, MAKER = "<kernel> /reader", "<kernel> /writer", "<kernel> /maker"
POLICY = f"""{READER}
use_profile 3

file read {FILE}
file read {PLACE}/dir/sub/made

{WRITER}
use_profile 3

file read/write {FILE}

{MAKER}
use_profile 3

file create {SUB}/made 0600-0666
file write/unlink {SUB}/made
file rename {SUB}/made {SUB}/kept
file rename {SUB}/kept {SUB}/made
file create {SUB}/mine 0600-0666 task.uid=0
file write {SUB}/mine
file unlink {SUB}/mine
file create {PLACE}/dir/short/made 0600-0666
file write/unlink {PLACE}/dir/short/made
"""
PROGRAMS = {"file_open", "path_mknod", "path_unlink", "path_rename", "path_exchange", "path_mkdir"}
AT_FDCWD, RENAME_EXCHANGE = -100, 2
ROUNDS = 300


def opened(path: Path, flags: int = os.O_RDONLY) -> Callable[[], object]:
    """Opens the file twice over, so that the second time finds what the first has left."""

    def act() -> None:
        for _ in range(3):
            os.close(os.open(path, flags))

    return act


def made(path: Path, mode: int = 0o600, flags: int = os.O_WRONLY, uid: int = 0) -> Callable[[], object]:
    """Makes the file and removes it, more than once."""

    def act() -> None:
        os.umask(0)
        os.setuid(uid)
        for _ in range(3):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | flags, mode))
            path.unlink()

    return act


def renamed(one: Path, other: Path) -> Callable[[], object]:
    """There and back again, more than once."""

    def act() -> None:
        for _ in range(3):
            one.rename(other)
            other.rename(one)

    return act


class Steps:
    """Each step changes something; what then comes of opening is kept."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.outcomes: dict[str, list[str]] = {}

    def act(self, name: str, *acts: Callable[[], object]) -> None:
        self.outcomes[name] = [self.engine.attempt(MAKER, each) for each in acts]

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


def entries(steps: Steps) -> None:
    """What is made, renamed and removed again and again."""
    file = SUB / "made"
    SUB.chmod(0o777)
    steps.act("made", made(file), made(file), made(SUB / "another"))
    steps.act("made otherwise", made(file, mode=0o700), made(file, flags=os.O_RDWR), made(file))
    file.unlink()
    steps.act("made as somebody", made(SUB / "mine"), made(SUB / "mine", uid=1000))
    (PLACE / "dir").rename(PLACE / "moved")
    steps.act("made in what was renamed", made(PLACE / "moved/sub/made"))
    (PLACE / "moved").rename(PLACE / "dir")
    steps.act("made in what is back", made(file))
    file.write_text("x")
    steps.act("renamed", renamed(file, SUB / "kept"), renamed(file, SUB / "elsewhere"), renamed(file, PLACE / "kept"))
    file.unlink()
    file.mkdir()
    steps.act("renamed as a directory", renamed(file, SUB / "kept"))
    file.rmdir()
    mount("--bind", SUB, PLACE / "bound")
    steps.act("made where it is bound", made(PLACE / "bound/made"), made(file))
    subprocess.run(["umount", PLACE / "bound"], check=True)
    steps.act("made when that is over", made(file))


def short_lived(steps: Steps) -> None:
    """Directories come and go where others were in memory: none is taken for another."""
    known, unknown = PLACE / "dir/short", PLACE / "dir/other"
    seen = set()

    def act() -> None:
        known.mkdir()
        made(known / "made")()
        known.rmdir()
        unknown.mkdir()
        try:
            made(unknown / "made")()
        finally:
            unknown.rmdir()

    steps.engine.policy.domains[MAKER].generation += 1
    lines = "".join(f"file mkdir {path}/ 0-0777\nfile rmdir {path}/\n" for path in (known, unknown))
    parse_domain_policy(f"{MAKER}\n{lines}", steps.engine.policy)
    steps.engine.publisher.publish(steps.engine.policy)
    for _ in range(40):
        seen.add(steps.engine.attempt(MAKER, act))
    steps.outcomes["directories that come and go"] = sorted(seen)


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
    engine = Engine(Path(sys.argv[1]), POLICY, PROGRAMS | hooks.REMEMBERING)
    engine.maps.state.remembers = 1
    steps = Steps(engine)
    for part in (directories, files, mounts, domains, entries, short_lived, race):
        part(steps)
    steps.step("in the end", FILE)
    with FILE.open() as file:
        kept = engine.loaded.maps["remembered"].lookup(file.fileno())
    descriptor = os.open(SUB, os.O_RDONLY)
    entries_kept = engine.loaded.maps["remembered_entries"].lookup(descriptor)
    for name, outcomes in steps.outcomes.items():
        print(f"{name}: {' '.join(outcomes)}")
    print(f"kept: {bool(kept and any(kept))} {bool(entries_kept and any(entries_kept))}")


if __name__ == "__main__":
    main()
