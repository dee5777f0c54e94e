"""Where programs are held to Law 3: as whoever runs the tests, and when that is root as nobody too."""

from __future__ import annotations

import os
import shutil
import socket
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.nobody import BECOME, NOBODY, python_for_all, sources_for_all
from tests.programs.harness import Place


@pytest.fixture(params=["self", pytest.param("nobody", marks=[pytest.mark.root, pytest.mark.slow])])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A directory of its own, as whoever runs the tests, and as nobody."""
    words = {"port": str(free_port())}
    if request.param == "self":
        yield Place(tmp_path, words=words)
        return
    with open_to_all("nobody") as base:
        sources = sources_for_all(base)
        os.chown(base, NOBODY, NOBODY)
        yield Place(base, python_for_all(), sources, BECOME, words)


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
