"""A tree that runs while commands look at it: a shell that shows each file it is told of."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engine.supervisor.supervised import Supervised

SHELL = "/bin/sh"
CAT = "/bin/cat"
_PATIENCE = 30
_LOOP = 'echo ready; while read file; do /bin/cat "$file"; echo "ended $?"; done'


class Tree:
    """The running shell."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._heard = b""

    def show(self, path: Path | str) -> tuple[str, int]:
        """What cat printed of ``path`` (its errors, too), and its exit status."""
        self.tell(path)
        text, _, status = self.hear("ended ").rpartition("ended ")
        return text, int(status)

    def tell(self, word: Path | str) -> None:
        """Whoever reads next reads ``word``."""
        assert self.process.stdin is not None
        self.process.stdin.write(os.fsencode(word) + b"\n")
        self.process.stdin.flush()

    def hear(self, word: str) -> str:
        """Everything up to the line that begins with ``word``."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + _PATIENCE
        while not any(line.startswith(word.encode()) for line in self._heard.splitlines(True) if line.endswith(b"\n")):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.process.stdout], [], [], left)[0], self._heard
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, self._heard
            self._heard += data
        heard, self._heard = self._heard.decode().rstrip("\n"), b""
        return heard


@contextmanager
def running(supervised: Supervised, verb: str, **options: str) -> Iterator[Tree]:
    """The shell under ``sekisho`` ``verb``; it has ended, and all is saved, when the block ends."""
    arguments = supervised.arguments(verb, SHELL, "-c", _LOOP, **options)
    environment = Supervised.environment()
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    )
    tree = Tree(process)
    try:
        tree.hear("ready")
        yield tree
        process.communicate(timeout=_PATIENCE)
    finally:
        process.kill()
        process.communicate()
