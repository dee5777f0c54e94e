"""A policy directory and the real engine: commands learned, enforced, and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sekisho.audit.values import MISSING
from sekisho.store.directory import PolicyDirectory

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C", "HOME": "/"}
_SOURCES = Path(__file__).resolve().parents[3] / "src"


@dataclass
class Result:
    """How a supervised command ended and what it said."""

    status: int
    out: str
    err: str


class Supervised:
    """One policy directory at ``path``. With ``plainly`` only pipes are learned as a pattern: lines can be compared."""

    def __init__(self, path: Path, *, before: tuple[str, ...] = (), plainly: bool = True) -> None:
        self.path = path
        self.before = before
        self.python = sys.executable
        self.program: tuple[str, ...] = ("-m", "sekisho")
        self.sources = _SOURCES
        PolicyDirectory(path).create()
        if plainly:
            (path / "rewrite.conf").write_text("name pipe:[\\$]\n")

    def arguments(self, verb: str, *command: str | Path, mode: str | None = None) -> list[str]:
        """The command line of a supervised ``command``."""
        words = [*self.before, self.python, *self.program, verb, "-P", str(self.path)]
        return [*words, *(("-m", mode) if mode else ()), "--", *map(str, command)]

    def _start(self, arguments: list[str], **options: Any) -> Result:
        options = {"stdin": subprocess.DEVNULL, "timeout": 50, "env": self.environment(self.sources), **options}
        done = subprocess.run(arguments, capture_output=True, check=False, **options)
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    @staticmethod
    def environment(sources: Path = _SOURCES) -> dict[str, str]:
        """What a supervised command finds in its environment; small, since every variable is policy."""
        return {**ENVIRONMENT, "PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1"}

    def native(self, *command: str | Path, **options: Any) -> Result:
        """``command`` has run unsupervised."""
        return self._start([*map(str, command)], **options)

    def learn(self, *command: str | Path, **options: Any) -> Result:
        """``command`` has run and what it did is policy."""
        return self._start(self.arguments("learn", *command), **options)

    def run(self, *command: str | Path, mode: str | None = None, **options: Any) -> Result:
        """``command`` has run under the policy learned so far."""
        return self._start(self.arguments("run", *command, mode=mode), **options)

    def domains(self) -> dict[str, list[str]]:
        """The lines of each domain as they stand in domain_policy.conf, in order."""
        found: dict[str, list[str]] = {}
        name = ""
        for line in (self.path / "domain_policy.conf").read_text().splitlines():
            if line.startswith("<"):
                name = line
                found[name] = []
            elif line and not line.startswith("use_"):
                found[name].append(line)
        return found

    def entries(self) -> dict[str, set[str]]:
        """The same with joined operations (``file read/getattr X``) taken apart."""
        return {name: {part for line in lines for part in apart(line)} for name, lines in self.domains().items()}

    def write(self, domains: dict[str, set[str]]) -> None:
        """The domain policy is exactly this, every domain but ``<kernel>`` with profile 3."""
        text = ""
        for name, lines in {"<kernel>": set[str](), **domains}.items():
            body = "".join(f"{line}\n" for line in sorted(lines))
            text += f"{name}\nuse_profile {0 if name == '<kernel>' else 3}\nuse_group 0\n\n{body}\n"
        (self.path / "domain_policy.conf").write_text(text)

    def records(self) -> list[dict[str, Any]]:
        """The audit log, oldest first."""
        log = self.path / "audit.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def rejected(self, mode: str = "enforcing") -> list[str]:
        """The missing lines of every request that was not granted in ``mode``."""
        found = [record["acl"] for record in self.records() if record["mode"] == mode and not record["granted"]]
        return [acl for acl in found if not acl.startswith(MISSING)]

    def forget_records(self) -> None:
        """The audit log is empty."""
        (self.path / "audit.jsonl").unlink(missing_ok=True)


def apart(line: str) -> list[str]:
    """``file read/getattr X`` as ``file read X`` and ``file getattr X``."""
    words = line.split(" ")
    place = 3 if words[0] == "network" else 1
    return [" ".join([*words[:place], word, *words[place + 1 :]]) for word in words[place].split("/")]


def domain(*programs: str | Path) -> str:
    """The domain of a chain of programs, each under its name with the last component not followed."""
    names = [
        os.path.join(os.path.realpath(os.path.dirname(str(each))), os.path.basename(str(each))) for each in programs
    ]
    return " ".join(["<kernel>", *names])
