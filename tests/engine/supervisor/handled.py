"""Commands whose execs an execute handler takes over, under the real engine."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.engine.supervisor.supervised import Result, Supervised, domain

SHELL = "/bin/sh"
_TELL = '#!/bin/sh\nfor word in "$@"; do echo "[$word]"; done\n'


class Handled:
    """A policy directory in ``folder`` where commands begin with a handler; what is done is learned or enforced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.supervised = Supervised(folder / "policy")

    def script(self, text: str = _TELL, name: str = "handler") -> Path:
        """A program of ``text``; by default one that tells its arguments, one a line."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def put(self, line: str, *chain: str | Path) -> None:
        """The domain of ``chain`` has this line, too; it is made if it isn't there."""
        path, name = self.supervised.path / "domain_policy.conf", domain(*chain)
        text = path.read_text()
        head = f"{name}\n"
        if not any(each == name for each in text.splitlines()):
            text += f"\n{head}use_profile 1\nuse_group 0\n\n"
        before, _, after = text.partition(f"\n{head}")
        settings, _, entries = after.partition("\n\n")
        path.write_text(f"{before}\n{head}{settings}\n\n{line}\n{entries}")

    def rewrite(self, old: str, new: str) -> None:
        """Wherever the domain policy says ``old`` it says ``new``."""
        path = self.supervised.path / "domain_policy.conf"
        path.write_text(path.read_text().replace(old, new))

    def enforce(self) -> None:
        """Whatever has been learned so far is enforced."""
        self.rewrite("use_profile 1", "use_profile 3")

    def shell(self, code: str, *, enforced: bool = False) -> Result:
        """What ``code`` comes to in a shell."""
        return self._run(enforced, SHELL, "-c", code)

    def python(self, code: str, *, enforced: bool = False) -> Result:
        """The same in Python."""
        return self._run(enforced, sys.executable, "-I", "-S", "-c", code)

    def _run(self, enforced: bool, *command: str) -> Result:
        return self.supervised.run(*command) if enforced else self.supervised.learn(*command)
