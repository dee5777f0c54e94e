"""What the demonstration is made of: the server in its three ways of running, a client, and talk."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PYTHON = os.path.realpath(sys.executable)
SEKISHO = str(Path(sys.executable).with_name("sekisho"))
PATIENCE = 15.0
KEY = "the key of the vault is 4711"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "SITE_KEY": KEY}
BRIGHT, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


class Unexpected(Exception):
    """Something didn't go as told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: of a page its HTTP status, of a command its exit status."""

    status: int
    text: str

    @property
    def first_line(self) -> str:
        """The first line that isn't empty."""
        return next((line for line in self.text.splitlines() if line.strip()), "")


class Server:
    """demo/server.py at work: alone, or under ``sekisho WAY`` with a policy directory."""

    def __init__(self, folder: Path, port: int, way: str = "", policy: Path | None = None) -> None:
        self.port = port
        plain = [PYTHON, str(Path(__file__).with_name("server.py")), str(folder), str(port)]
        self.command = [SEKISHO, way, "-P", str(policy), "--", *plain] if way else plain
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - read after the server has ended

    def __enter__(self) -> Server:
        tell(f"$ {shown(self.command)}")
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, env=ENVIRONMENT
        )
        deadline = time.monotonic() + PATIENCE
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise Unexpected(f"the server didn't come up: {self.said()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        """The server has ended, by the signal that asks it to."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(PATIENCE)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, page: str) -> Outcome:
        """The answer to ``GET page``."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{page}", timeout=PATIENCE) as answer:
                return Outcome(answer.status, answer.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Outcome(refusal.code, refusal.read().decode())
        except OSError as problem:
            raise Unexpected(f"GET {page}: {problem}; {self.said()}") from None

    def said(self) -> str:
        """What the server, or Sekisho, has said so far."""
        self.output.seek(0)
        return self.output.read().decode(errors="replace").strip()


def sekisho(*arguments: str) -> Outcome:
    """What a ``sekisho`` command comes to."""
    done = subprocess.run([SEKISHO, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.stderr:
        raise Unexpected(f"sekisho {shlex.join(arguments)}: {done.stderr.strip()}")
    return Outcome(done.returncode, done.stdout)


def shown(command: Iterable[str]) -> str:
    """A command as one would type it."""
    return shlex.join(Path(word).name if word in (SEKISHO, PYTHON) else word for word in command)


def free_port(above: int = 8079) -> int:
    """A TCP port that nobody uses, and that a server might well use."""
    for port in range(above + 1, 8180):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise Unexpected(f"no TCP port from {above + 1} to 8179 is free")


def heading(text: str) -> None:
    """A new act begins."""
    print(f"\n{BRIGHT}{text}{PLAIN}")


def tell(text: str) -> None:
    """The audience reads ``text`` at once."""
    print(text, flush=True)


def indented(lines: Iterable[str], by: int = 2) -> str:
    """``lines`` set off from the talk."""
    return "\n".join(" " * by + line for line in lines)
