"""Sekisho as an ordinary user where the tests run as root: nobody may read neither root's home nor the clone."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

NOBODY: Final = 65534
BECOME: Final = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
SOURCES: Final = Path(__file__).resolve().parents[1] / "src"


@functools.cache
def python_for_all() -> str:
    """A Python that any user may execute."""
    usable = subprocess.run([*BECOME, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0
    return sys.executable if usable else "/usr/bin/python3"


def sources_for_all(folder: Path) -> Path:
    """A copy of the sources in ``folder``, which any user may read."""
    target = folder / "sources"
    shutil.copytree(SOURCES / "sekisho", target / "sekisho", ignore=shutil.ignore_patterns("__pycache__"))
    return target
