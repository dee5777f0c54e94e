"""In the machine: measures every system once in each round, one after the other, and prints the figures as JSON.

usage: guest.py PROGRAM ROUNDS SCALE SIZE...
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from system import systems

Figures = dict[str, dict[str, list[int]]]

COUNTS: Final = {
    "open-2": 4000, "open-10": 4000, "stat-2": 4000, "stat-10": 4000, "read": 4000,
    "create+unlink": 500, "create+unlink-new": 500, "rename": 1000, "exec": 60, "connect": 4000,
}  # fmt: skip

SETTLING: Final = 10.0
"""Seconds after which the engine's daemon, which shares the one processor, has done what comes after a start."""


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


def one_round(compared: Sequence[systems.System], figures: Figures, scale: float) -> None:
    """Every system is measured once more."""
    for each in compared:
        for kind, value in measure(each.program, scale).items():
            figures[each.name][kind].append(value)


def main() -> None:
    """The figures are printed."""
    program, rounds, scale = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    sizes = [int(word) for word in sys.argv[4:]]
    systems.prepare(program)
    others: list[systems.System] = [
        systems.Nothing(program),
        *(systems.AppArmor(program, size) for size in sizes),
        *(systems.Tomoyo(program, size) for size in sizes),
    ]
    ours = [
        systems.Sekisho(program, "unconfined", 0, sizes[0]),
        systems.Sekisho(program, "learning", 1, sizes[0]),
        *(systems.Sekisho(program, f"enforcing {size}", 3, size) for size in sizes),
    ]
    engine = systems.Engine(ours)
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for each in others[1:]:
        run(each.program, "refused")
    for number in range(rounds):
        one_round(others, figures, scale)
        engine.start()
        time.sleep(SETTLING)
        if not number:
            for each in ours[2:]:
                run(each.program, "refused")
        one_round(ours, figures, scale)
        engine.stop()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
