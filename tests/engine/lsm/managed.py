"""In a virtual machine: the engine as whoever administers it has it, from a shell that is a manager's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sekisho.engine.lsm.daemon import machine

POLICY = Path("/tmp/policy")
PROGRAMS = Path("/tmp/programs")
ADMINISTRATOR = f"""\
initialize_domain {PROGRAMS}/admin from any
keep_domain any from {PROGRAMS}/admin
"""
"""What the exception policy has to have of the shell; manager.conf names it."""


def prepare(image: Path, *others: str) -> None:
    """The kernel side in ``image`` is the one that is loaded; the shell and ``others`` stand among PROGRAMS."""
    if image.resolve() != machine.OBJECT:
        shutil.copy(image, machine.OBJECT)
    PROGRAMS.mkdir()
    for name, program in (("admin", "dash"), *((other, other) for other in others)):
        shutil.copy(shutil.which(program) or "", PROGRAMS / name)


def as_manager(module: str, *words: str) -> None:
    """This process becomes the shell, which runs ``module`` with these words; what it runs keeps its domain.

    The engine isn't there yet to see the shell being executed.
    """
    command = f"{sys.executable} -B -m {module} {' '.join(words)}; exit $?"
    os.execv(PROGRAMS / "admin", [str(PROGRAMS / "admin"), "-c", command])


def play(module: str, prepare: Callable[[Path], None], scene: Callable[[], None]) -> None:
    """``python -m MODULE OBJECT`` prepares the machine with it, and then plays the scene as a manager."""
    if sys.argv[1] == "scene":
        scene()
        return
    prepare(Path(sys.argv[1]))
    as_manager(module, "scene")


def system(*words: str) -> subprocess.CompletedProcess[str]:
    """``sekisho system`` with these words has ended."""
    command = [sys.executable, "-m", "sekisho", "system", "-P", str(POLICY), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def status() -> dict[str, object]:
    """What the daemon says of itself."""
    found: dict[str, object] = json.loads(system("--json", "status").stdout)
    return found


def tell(what: str, outcome: object) -> None:
    """One line for the test."""
    print(f"{what}: {' / '.join(str(outcome).split(chr(10))).strip(' /')}", flush=True)
