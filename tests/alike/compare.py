"""Random sequences of system calls, run natively and in enforcing mode where everything is allowed: all is the same.

``python -m tests.alike.compare SEEDS [STEPS] [--user]`` tells what differs, with the fewest steps that show it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.alike.allowing import allow_everything
from tests.engine.supervisor.supervised import Supervised

HERE = Path(__file__).resolve().parent
SOURCES = ("alike.c", "choices.c", "descriptors.c", "files.c", "sockets.c", "processes.c", "tree.c")
ALONE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", str(HERE / "world.sh"))
AS_USER = ("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups")
_TIMEOUT = 900


@dataclass
class Outcome:
    """What the program printed and left, and what the supervisor said, for each seed."""

    printed: dict[int, list[str]]
    said: str

    def compare(self, other: Outcome) -> Iterator[tuple[int, str, str]]:
        """(seed, here, there) of each seed's first difference."""
        for seed, lines in self.printed.items():
            theirs = other.printed.get(seed, [])
            for here, there in zip([*lines, "(the end)"], [*theirs, "(the end)"], strict=False):
                if here != there:
                    yield seed, here, there
                    break


class Comparison:
    """The program, built in ``root``, a policy that allows everything, and a place to play in."""

    def __init__(self, root: Path, *, user: bool) -> None:
        self.root = root
        root.chmod(0o755)
        self.program = root / "alike"
        sources = [HERE / name for name in SOURCES]
        subprocess.run(["gcc", "-O1", "-static", "-w", "-o", self.program, *sources], check=True, timeout=120)
        for name in ("play", "policy", "upper", "world"):
            (root / name).mkdir()
        self.before = (*ALONE, str(root), *(AS_USER if user else ()))
        self.policy = Supervised(root / "policy", before=self.before)
        allow_everything(self.policy)
        if user:
            for path in (root / "policy", *(root / "policy").iterdir()):
                os.chown(path, 1000, 1000)

    def play(self, seeds: str, steps: str, *, supervised: bool) -> Outcome:
        """These steps of these seeds, printed, followed by what is there then."""
        place = self.root / "play"
        for each in place.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            else:
                each.unlink()
        os.chown(place, 0, 0)
        place.chmod(0o777)
        command = (self.program, place, seeds, steps)
        if supervised:
            result = self.policy.run(*command, timeout=_TIMEOUT)
        else:
            result = self.policy.native(*self.before, *command, timeout=_TIMEOUT)
        printed = _by_seed(result.out)
        for seed, lines in printed.items():
            lines += listing(place / str(seed))
        return Outcome(printed, result.err + ("" if result.status == 0 else f"status {result.status}\n"))

    def differences(self, seeds: str, steps: str) -> list[tuple[int, str, str]]:
        """(seed, natively, supervised) of what differs first."""
        native = self.play(seeds, steps, supervised=False)
        supervised = self.play(seeds, steps, supervised=True)
        found = list(native.compare(supervised))
        if supervised.said != native.said:
            found.append((-1, native.said, supervised.said))
        return found

    def shrink(self, seed: int, steps: Sequence[int]) -> tuple[list[int], tuple[int, str, str]]:
        """The fewest steps found that still make a difference, and that difference."""
        kept, size, last = list(steps), len(steps) // 2, (seed, "", "")
        while size:
            for start in range(len(kept) - size, -1, -size):
                fewer = kept[:start] + kept[start + size :]
                found = self.differences(str(seed), ",".join(map(str, fewer))) if fewer else []
                if found:
                    kept, last = fewer, found[0]
            size //= 2
        return kept, last


def _by_seed(text: str) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("seed "):
            lines = found[int(line[5:])] = []
        else:
            lines.append(line)
    return found


def listing(folder: Path) -> list[str]:
    """Every file below ``folder`` and what it is, but for numbers and times that differ every time."""
    lines = []
    for path in sorted(path for path in folder.rglob("*") if not path.is_relative_to(folder / "none")):
        status = path.lstat()
        content = ""
        if stat.S_ISREG(status.st_mode):
            data = path.read_bytes()
            content = f"{len(data)} {hashlib.sha256(data).hexdigest()[:8]} {os.listxattr(path, follow_symlinks=False)}"
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        links = 0 if stat.S_ISDIR(status.st_mode) else status.st_nlink
        device = f"{status.st_rdev:x}"
        lines.append(
            f"{path.relative_to(folder)} {status.st_mode:o} {status.st_uid}:{status.st_gid} {links} {device} {content}"
        )
    return lines


def main() -> int:
    """Tells every difference."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds")
    parser.add_argument("steps", nargs="?", default="0-199")
    parser.add_argument("--user", action="store_true")
    parser.add_argument("--no-shrink", action="store_true")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="sekisho-", suffix=".d"))
    try:
        comparison = Comparison(root, user=options.user)
        found = comparison.differences(options.seeds, options.steps)
        for seed, here, there in found:
            print(f"seed {seed}\n  natively   {here}\n  supervised {there}", flush=True)
            if seed >= 0 and not options.no_shrink:
                _tell_shrunk(comparison, seed, here)
        return bool(found)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _tell_shrunk(comparison: Comparison, seed: int, line: str) -> None:
    last = int(line.split()[0]) if line.split()[0].isdigit() else 199
    steps, _ = comparison.shrink(seed, range(last + 1))
    text = ",".join(map(str, steps))
    native = comparison.play(str(seed), text, supervised=False).printed[seed]
    other = comparison.play(str(seed), text, supervised=True).printed[seed]
    print(f"  steps {text}")
    for number, row in enumerate(native[: len(steps) + 3]):
        theirs = other[number] if number < len(other) else ""
        print(f"    {row}" + (f"\n  ! {theirs}" if row != theirs else ""))


if __name__ == "__main__":
    sys.exit(main())
