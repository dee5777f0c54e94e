"""What the kernel's TOMOYO and Sekisho both learn: the scripts in ``scripts``, each for a moment.

A script runs as root by ``sh -ec`` in the empty directory /work of a Debian made for it, alone in its machine. What
stands before a line ``#--- run`` prepares it, and is learned by nobody. One that begins with ``# quick`` is part of
what every test run compares, and has to do with the small image.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).resolve().parent / "scripts"
MARK: Final = "#--- run\n"
PRELUDE: Final = """\
wait_for() { n=0; until "$@" >/dev/null 2>&1; do n=$((n + 1)); test $n -lt 300; sleep 0.1; done; }
listening() { wait_for grep -q ":$(printf %04X $1) 00000000:0000 0A" /proc/net/tcp; }
"""
"""Waits until a command succeeds, or a port is listened on."""


@dataclass(frozen=True)
class Program:
    """A script, and what has to be there before it."""

    name: str
    setup: str
    script: str
    quick: bool


def program(path: Path) -> Program:
    """The program that the script at ``path`` tells."""
    text = path.read_text()
    setup, _, script = text.rpartition(MARK)
    return Program(path.stem, setup, PRELUDE + script, text.startswith("# quick\n"))


PROGRAMS: Final = tuple(map(program, sorted(SCRIPTS.glob("*.sh"))))
