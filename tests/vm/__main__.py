"""Runs a shell command as root in a throw-away virtual machine with a stock Debian kernel.

``python -m tests.vm --kernel 6.1 -- uname -r``. See tests/vm/README.md.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from tests.vm.kernels import CannotStart
from tests.vm.machine import IMAGES, KERNELS, PLAIN, Machine, prepare
from tests.vm.tomoyo import with_tomoyo

KINDS = ", ".join([*KERNELS, *IMAGES])


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.vm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kernel", default=KERNELS[0], help="what its version begins with (%(default)s)")
    parser.add_argument("--lsm", default=PLAIN, help="the kernel's list of LSMs (%(default)s)")
    parser.add_argument("--tomoyo", action="store_true", help="with the kernel's TOMOYO, all domains disabled")
    parser.add_argument(
        "--packages", default="", help="root: a Debian with these on ext4 (small, full or a list), not this host"
    )
    parser.add_argument("--share", action="append", default=[], type=Path, help="a directory that is the host's")
    parser.add_argument("--append", default="", help="more words for the kernel")
    parser.add_argument("--memory", default=1024, type=int, help="MiB (%(default)s)")
    parser.add_argument("--timeout", default=120, type=float, help="seconds (%(default)s)")
    parser.add_argument("--prepare", action="store_true", help=f"only fetch what the words name: {KINDS}")
    parser.add_argument("command", nargs="+", help="after --; one word is a shell script")
    return parser.parse_args()


def main() -> int:
    given = options()
    packages = IMAGES.get(given.packages) or tuple(filter(None, given.packages.split(",")))
    machine = Machine(
        kernel=given.kernel, lsm=given.lsm, packages=packages,
        share=tuple(path.resolve() for path in given.share), append=given.append, memory=given.memory,
    )  # fmt: skip
    command = given.command[0] if len(given.command) == 1 else shlex.join(given.command)
    try:
        if given.prepare:
            prepare(given.command)
            return 0
        machine = with_tomoyo(machine) if given.tomoyo else machine
        ended = machine.run(command, timeout=given.timeout, directory=os.getcwd())
    except CannotStart as error:
        print(f"vm: {error}", file=sys.stderr)
        return 125
    sys.stdout.write(ended.stdout)
    sys.stderr.write(ended.stderr)
    if ended.status is None:
        print("vm: " + ("timeout" if ended.timed_out else "the machine ended first"), file=sys.stderr)
        print(ended.console[-3000:], file=sys.stderr)
        return 124 if ended.timed_out else 126
    return ended.status


if __name__ == "__main__":
    sys.exit(main())
