"""The ways in which a program is run to be compared: alone, under Sekisho, under strace, under sandlock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workloads import Workload

from sekisho.engine.supervisor import table
from sekisho.store.directory import PolicyDirectory

SEKISHO = str(Path(sys.executable).with_name("sekisho"))
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
QUIET = "CONFIG::file::getattr={ mode=disabled grant_log=no reject_log=no }"
_SANDLOCK = """
import sys
from sandlock import Sandbox
everything = Sandbox(fs_readable=["/"], fs_writable=["/"], net_allow=["*:*"], net_allow_bind=["*"])
sys.exit(everything.run_interactive(sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True)
class Way:
    """``command(key, argv)`` is what runs ``argv``; what is learned of it is kept by ``key``."""

    name: str
    command: Callable[[str, list[str]], list[str]]


class Workshop:
    """Policy directories and the other supervisors, all below one folder that is thrown away."""

    def __init__(self, folder: Path, sandlock: str = "") -> None:
        self.folder = folder
        self.absent: list[str] = []
        self._sandlock = sandlock

    def ways(self) -> list[Way]:
        """Those that can be had here; ``absent`` then says which can't, and why."""
        found = [
            Way("native", lambda _, argv: argv),
            Way("learning", lambda key, argv: self._learning(key, argv, "")),
            Way("learning, no getattr", lambda key, argv: self._learning(key, argv, QUIET)),
            Way("enforcing", lambda key, argv: self._enforcing(key, argv, "")),
            Way("enforcing, no getattr", lambda key, argv: self._enforcing(key, argv, QUIET)),
        ]
        return [*found, *self._strace(), *self._others()]

    def _directory(self, key: str, kind: str, profile: str) -> str:
        path = self.folder / f"policy-{kind}{'-quiet' if profile else ''}-{key}"
        if not path.exists():
            PolicyDirectory(path).create()
            with open(path / "profile.conf", "a", encoding="ascii") as text:
                text.write("".join(f"{number}-{profile}\n" for number in (1, 3) if profile))
        return str(path)

    def _learning(self, key: str, argv: list[str], profile: str) -> list[str]:
        """Each time into a new directory, so that everything is learned anew."""
        path = self._directory(key, "learning", profile)
        shutil.rmtree(path)
        return [SEKISHO, "learn", "-P", self._directory(key, "learning", profile), "--", *argv]

    def _enforcing(self, key: str, argv: list[str], profile: str) -> list[str]:
        """What was learned before the measurement began is enforced."""
        return [SEKISHO, "run", "-P", self._directory(key, "enforced", profile), "--", *argv]

    def teach(self, key: str, work: Workload, times: int = 2) -> None:
        """The policies that enforcing needs for ``work`` are learned."""
        for profile in ("", QUIET):
            for _ in range(times):
                work.prepare()
                path = self._directory(key, "enforced", profile)
                command = [SEKISHO, "learn", "-P", path, "--", *work.argv]
                done = subprocess.run(command, cwd=work.folder, env=ENVIRONMENT, capture_output=True, check=False)
                if done.returncode:
                    raise SystemExit(f"{work.name}: learning it ended with {done.returncode}\n{done.stderr.decode()}")

    def _strace(self) -> list[Way]:
        if shutil.which("strace") is None:
            self.absent.append("strace: not installed here")
            return []
        command = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={traced()}", "-e", "signal=none"]
        return [Way("strace", lambda _, argv: [*command, "-o", os.devnull, *argv])]

    def _others(self) -> list[Way]:
        python = self._sandlock or self._install_sandlock()
        script = self.folder / "in_sandlock.py"
        script.write_text(_SANDLOCK)
        if not python:
            return []
        probe = subprocess.run([python, str(script), "/bin/true"], capture_output=True, text=True, check=False)
        if probe.returncode:
            self.absent.append(f"sandlock: doesn't run here ({probe.stderr.strip().splitlines()[-1:]})")
            return []
        return [Way("sandlock", lambda _, argv: [python, str(script), *argv])]

    def _install_sandlock(self) -> str:
        """The Python of a throw-away virtual environment with sandlock in it; empty if it can't be had."""
        home = self.folder / "sandlock"
        python = str(home / "bin/python")
        steps = (
            [sys.executable, "-m", "venv", str(home)],
            [python, "-m", "pip", "install", "--quiet", "sandlock"],
        )
        for step in steps:
            if subprocess.run(step, capture_output=True, check=False, timeout=300).returncode:
                self.absent.append("sandlock: couldn't be installed from PyPI")
                return ""
        return python


def traced() -> str:
    """For strace: the calls that Sekisho mediates whatever their arguments, each if this kernel has it."""
    rows = table.rows(privileged=True)
    return ",".join(f"?{row.name}" for row in rows if row.operations and not row.where)
