"""``make bench-vm``: what mediation of a whole system costs, on stock kernels in virtual machines, as Markdown.

usage: python -m bench.system [--kernel 6.12] [--rounds N] [--scale X] [--write FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from tests.vm.images import BENCH
from tests.vm.machine import Machine
from tests.vm.tomoyo import with_tomoyo

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
LSM: Final = "landlock,lockdown,yama,apparmor,tomoyo,bpf"
PATIENCE: Final = 3600
SIZES: Final = [10, 100, 1000, 10000]

Figures = dict[str, dict[str, list[int]]]
"""By system and kind: nanoseconds, a value for each round."""


def main() -> None:
    """The figures are printed."""
    parser = argparse.ArgumentParser(prog="python -m bench.system", description=__doc__)
    parser.add_argument("--kernel", default="6.12", help="what its version begins with (%(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="how often everything is measured (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="how many operations, times the usual")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="how many rules there are (%(default)s)")
    options = parser.parse_args()
    print("\n".join(table(measure(options.kernel, options.rounds, options.scale, options.sizes))))


def measure(kernel: str, rounds: int, scale: float, sizes: list[int]) -> Figures:
    """What the machine's guest found out."""
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as name:
        program = Path(name) / "operations"
        subprocess.run(["cc", "-static", "-O2", "-o", program, HERE / "operations.c"], check=True)
        machine = Machine(kernel, packages=BENCH, share=(Path(name), ROOT), memory=2048, processors=1)
        machine = with_tomoyo(machine)
        machine = Machine(**{**vars(machine), "lsm": LSM, "counted": True})
        words = " ".join(map(str, (program, rounds, scale, *sizes)))
        command = f"PYTHONPATH={ROOT}/src:{ROOT}/bench python3 {HERE}/guest.py {words}"
        ended = machine.run(command, timeout=PATIENCE)
        if ended.status != 0:
            raise SystemExit(f"the machine's command failed:\n{ended.stderr}\n{ended.console[-2000:]}")
        figures: Figures = json.loads(ended.stdout.splitlines()[-1])
        return figures


def table(figures: Figures) -> list[str]:
    """Medians, and what each costs more than nothing."""
    kinds = list(next(iter(figures.values())))
    base = {kind: median(figures["nothing"][kind]) for kind in kinds}
    lines = ["| | " + " | ".join(kinds) + " |", "|---|" + "---:|" * len(kinds)]
    for system, rows in figures.items():
        cells = []
        for kind in kinds:
            value = median(rows[kind])
            cells.append(f"{value:,.0f} ({value - base[kind]:+,.0f})" if system != "nothing" else f"{value:,.0f}")
        lines.append(f"| {system} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
