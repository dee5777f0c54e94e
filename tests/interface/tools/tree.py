"""A running tree to look at and change: a shell that reads the files it is told to."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.interface.tools.conftest import Tools
from tests.interface.tools.terminal import PATIENCE

SCRIPT = 'while read file; do if read line < "$file"; then echo allowed; else echo refused; fi; done'
SHELL = "<kernel> /usr/bin/sh"
_ENVIRONMENT = {"PATH": "/usr/bin", "LC_ALL": "C"}


class Tree:
    """The shell, told through its standard input and heard through its standard output."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stdin and process.stdout
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()

    def ask(self, path: str) -> None:
        """The shell opens ``path``, or waits for leave to do so."""
        os.write(self._in, f"{path}\n".encode())

    def answer(self) -> str:
        """``allowed`` or ``refused``: how that went."""
        assert select.select([self._out], [], [], PATIENCE)[0], "the program still waits"
        return os.read(self._out, 100).decode().strip()

    def is_waiting(self, seconds: float = 0.3) -> bool:
        """Whether nothing is answered for a while."""
        return not select.select([self._out], [], [], seconds)[0]


def learn(tools: Tools, *paths: str) -> None:
    """The shell has its domain, learned by reading ``paths``."""
    subprocess.run(
        _command(tools, "learn"), input="".join(f"{path}\n" for path in paths),
        env=_ENVIRONMENT, check=True, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


@contextmanager
def running(tools: Tools, profile: int = 3) -> Iterator[Tree]:
    """The tree runs, the shell held to ``profile``."""
    tools.run("tomoyo-setprofile", str(profile), SHELL)
    process = subprocess.Popen(
        _command(tools, "run", "-m", "profile"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_ENVIRONMENT,
    )  # fmt: skip
    tree = Tree(process)
    try:
        tree.ask("/etc/hostname")
        assert "allowed" == tree.answer()
        yield tree
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]


def _command(tools: Tools, word: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "sekisho", word, *options, "-P", str(tools.path), "--", "/usr/bin/sh", "-c", SCRIPT]
