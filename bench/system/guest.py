"""In the machine: measures every system once in each round, one after the other, and prints the figures as JSON.

usage: guest.py PROGRAM ROUNDS SCALE SIZE...
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

from system import systems

COUNTS: Final = {
    "open-2": 4000, "open-10": 4000, "stat-2": 4000, "stat-10": 4000,
    "create+unlink": 500, "rename": 1000, "exec": 60, "connect": 4000,
}  # fmt: skip


def run(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The program ended well; it has no environment, which some systems look at."""
    done = subprocess.run([program, systems.FOLDER, *words], capture_output=True, text=True, check=False, env={})
    if done.returncode:
        raise SystemExit(f"{program}: {done.stderr}")
    return done


def measure(program: Path, scale: float) -> dict[str, int]:
    """Nanoseconds for each operation."""
    words = [f"{kind}:{max(int(count * scale), 10)}" for kind, count in COUNTS.items()]
    done = run(program, *words)
    return {kind: int(value) for kind, value in map(str.split, done.stdout.splitlines())}


def check_refused(program: Path) -> None:
    """What isn't allowed is refused, or the figures would say nothing."""
    run(program, "refused")


def main() -> None:
    """The figures are printed."""
    program, rounds, scale = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    sizes = [int(word) for word in sys.argv[4:]]
    systems.prepare(program)
    compared: list[systems.System] = [
        systems.Nothing(program),
        *(systems.AppArmor(program, size) for size in sizes),
        *(systems.Tomoyo(program, size) for size in sizes),
    ]
    for each in compared[1:]:
        check_refused(each.program)
    print("ready", file=sys.stderr)
    figures: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(rounds):
        for each in compared:
            for kind, value in measure(each.program, scale).items():
                figures[each.name][kind].append(value)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
