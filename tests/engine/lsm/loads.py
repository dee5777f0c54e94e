"""Which programs of an object the running kernel takes, and what each costs the verifier.

As root, in a virtual machine for all but ``syscall`` programs::

    python -m tests.engine.lsm.loads [--modify-return] [--log LINES] [--threads N] OBJECT [PROGRAM...]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from sekisho.engine.lsm.kernel import object as objects
from sekisho.engine.lsm.kernel.kinds import Flavour
from sekisho.engine.lsm.kernel.loader import Loader, Options

SMALL = 1 << 14


def main() -> None:
    """Prints a line for each program; the exit status is 1 if any failed for another reason than its hook's absence."""
    arguments = parse()
    begun = time.monotonic()
    image = objects.read(arguments.object.read_bytes())
    read = time.monotonic()
    options = Options(
        flavour=Flavour.MODIFY_RETURN if arguments.modify_return else Flavour.LSM,
        entries={name: min(shape.entries, SMALL) for name, shape in image.maps.items() if name != "events"},
        wanted=lambda source: not arguments.program or source.name in arguments.program,
        log=arguments.log,
        threads=arguments.threads,
    )
    loaded = Loader().load(image, options)
    done = time.monotonic()
    loaded.attach()
    for name, program in loaded.programs.items():
        attached = "attached" if name in loaded.links else ""
        print(f"{name:32} {image.programs[name].section:40} {program.facts().verified:7} {attached}")
    for name, failure in loaded.failures.items():
        print(f"{name:32} {failure.section:40} {failure.reason}", *failure.log, sep="\n    ")
    print(f"read {read - begun:.3f} s, loaded {done - read:.3f} s, attached {time.monotonic() - done:.3f} s")
    sys.exit(any(not failure.absent for failure in loaded.failures.values()))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modify-return", action="store_true")
    parser.add_argument("--log", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("object", type=Path)
    parser.add_argument("program", nargs="*")
    return parser.parse_args()


if __name__ == "__main__":
    main()
