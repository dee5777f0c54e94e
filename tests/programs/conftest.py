"""Where programs are held to Law 3: as whoever runs the tests, and when that is root as nobody too."""

from __future__ import annotations

import os
import shutil
import socket
import string
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.programs.harness import SOURCES, Place

NOBODY = 65534
BECOME = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


@pytest.fixture(params=["self", pytest.param("nobody", marks=[pytest.mark.root, pytest.mark.slow])])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A directory of its own, as whoever runs the tests, and as nobody."""
    words = {"port": str(free_port())}
    if request.param == "self":
        yield Place(tmp_path, words=words)
        return
    with open_to_all("nobody") as base:
        shutil.copytree(SOURCES / "sekisho", base / "sources/sekisho", ignore=shutil.ignore_patterns("__pycache__"))
        os.chown(base, NOBODY, NOBODY)
        yield Place(base, python_for_all(), base / "sources", BECOME, words)


@pytest.fixture
def root_place() -> Iterator[Place]:
    """A directory for what only root can do, which other users may enter."""
    with open_to_all("root") as base:
        yield Place(base, words={"port": str(free_port())})


@contextmanager
def open_to_all(user: str) -> Iterator[Path]:
    """A new directory under a name that learning takes for a lasting one."""
    letters = "".join(string.ascii_lowercase[int(digit)] for digit in str(os.getpid()))
    base = Path(f"/tmp/programs-of-{user}-{letters}")
    base.mkdir(mode=0o755)
    try:
        yield base
    finally:
        shutil.rmtree(base)


def python_for_all() -> str:
    """A Python that any user may execute."""
    usable = subprocess.run([*BECOME, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0
    return sys.executable if usable else "/usr/bin/python3"


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel hands out."""
    for port in range(20000 + os.getpid() % 10000, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
