"""What it takes a Debian with sshd, nginx and cron to come up: without the engine, with it learning, and enforcing.

Prints for how long the processor had worked when everything had been started. The machine's clock counts the
instructions of its one processor, a nanosecond each: no times of any real machine, but the same on a busy host.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from tests.engine.lsm.guest_booted import IN_GUEST, UNASKED
from tests.vm.images import BOOTED
from tests.vm.machine import Machine, copied

ROOT = Path(__file__).resolve().parents[2]
OBJECT = ROOT / "src/sekisho/engine/lsm/sekisho.bpf.o"
PATIENCE = 3600
UP = """\
systemctl is-system-running --wait >/dev/null
awk '/^cpu / { printf "%.2f\\n", ($2 + $3 + $4 + $7 + $8) / 100 }' /proc/stat
"""
SYSTEMS = ("without", "learning", "enforcing")


def main() -> None:
    """The figures are printed."""
    parser = argparse.ArgumentParser(prog="python -m bench.system.boot", description=__doc__)
    parser.add_argument("--kernel", default="6.12", help="what its version begins with (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (%(default)s)")
    parser.add_argument("--systems", nargs="*", default=SYSTEMS, choices=SYSTEMS, help="what is measured (all)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sekisho-boot-") as name:
        disk = copied(BOOTED, Path(name))
        booted(options.kernel, disk, prepare=f"install /host{ROOT} /host{OBJECT}", afterwards="/run/local/settled")
        print("| | seconds of the processor |\n|---|---:|", flush=True)
        for system in options.systems:
            append = "systemd.mask=sekisho.service" if system == "without" else ""
            prepare = "enforce" if system == "enforcing" else ""
            rounds = [booted(options.kernel, disk, append=append, prepare=prepare) for _ in range(options.rounds)]
            print(f"| {system} | {median(rounds):.1f} |", flush=True)


def booted(kernel: str, disk: Path, *, append: str = "", prepare: str = "", afterwards: str = "") -> float:
    """For how long the processor had worked when everything was up; ``prepare`` was done before."""
    files = {"settled": f"#!/bin/sh\n{IN_GUEST} settled\n"}
    if prepare:
        files["prepare"] = f"#!/bin/sh\nexport PATH=/usr/sbin:/usr/bin:/sbin:/bin\n{IN_GUEST} {prepare}\n"
    machine = Machine(
        kernel, disk=disk, boots=True, append=f"{UNASKED} {append}", files=files, counted=True, processors=1
    )
    ended = machine.run(f"{UP}{afterwards}\n", timeout=PATIENCE)
    if ended.status != 0:
        raise SystemExit(f"the machine's command failed:\n{ended.stdout}{ended.stderr}{ended.console[-2000:]}")
    return float(ended.stdout.split()[0])


if __name__ == "__main__":
    main()
