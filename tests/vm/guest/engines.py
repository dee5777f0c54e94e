"""In the guest: the engines of Sekisho, each of which learns a program at the same time as the kernel's TOMOYO."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.vm.guest import kernel

SHELLS = "/usr/local/bin/oracle"
"""Shells of their own: a domain begins where one is executed, and nobody else executes it. They are bash, whose signal
handlers let calls start again: dash ends when a signal meets its fork on the way to a supervisor (docs/guide.md)."""
POLICY = Path("/var/lib/sekisho-oracle")
LAUNCHER = "import sys; sys.path.insert(0, {!r}); from sekisho.cli.main import main; sys.exit(main(sys.argv[1:]))"
MAKE = "import sys; sys.path.insert(0, {!r}); from sekisho.store.directory import *; PolicyDirectory({!r}).create()"
LONGEST = 300
"""Seconds in which the daemon comes to the end of what there is to be learned."""


class Supervisor:
    """``sekisho learn``: one policy directory for each program."""

    def __init__(self, sources: str) -> None:
        self.sources = sources

    def shell(self, name: str) -> str:
        """The shell that the program ``name`` is run by."""
        del name
        return SHELLS

    def begin(self, names: list[str]) -> None:
        """All shells are there."""
        for shell in {self.shell(name) for name in names}:
            shutil.copy("/bin/bash", shell)
            kernel.write("exception_policy", f"initialize_domain {shell} from any\n")

    def words(self, shell: str) -> list[str]:
        """What runs ``shell`` so that it is learned."""
        directory(self.sources)
        return [sys.executable, "-I", "-c", LAUNCHER.format(self.sources), "learn", "-P", str(POLICY), "--", shell]

    def learned(self, shell: str) -> str:
        """The policy that came of it."""
        del shell
        return (POLICY / "domain_policy.conf").read_text()

    def end(self) -> None:
        """Nothing to do."""


class System(Supervisor):
    """``sekisho system``: started once, a shell for each program; whatever isn't one of them is disabled."""

    def shell(self, name: str) -> str:
        """A shell that isn't any other program's."""
        return f"{SHELLS}-{name}"

    def begin(self, names: list[str]) -> None:
        """The engine is in force."""
        super().begin(names)
        directory(self.sources)
        shells = [self.shell(name) for name in names]
        with open(POLICY / "exception_policy.conf", "a") as policy:
            policy.writelines(f"initialize_domain {shell} from any\n" for shell in shells)
        with open(POLICY / "domain_policy.conf", "a") as policy:
            policy.writelines(f"\n<kernel> {shell}\nuse_profile 1\nuse_group 0\n" for shell in shells)
        if not Path("/sys/fs/bpf").is_mount():
            subprocess.run(["/bin/mount", "-t", "bpf", "bpf", "/sys/fs/bpf"], check=True)
        said = self.sekisho("start", "-P", str(POLICY))
        print(said, file=sys.stderr, flush=True)

    def words(self, shell: str) -> list[str]:
        """No supervisor is needed."""
        return [shell]

    def learned(self, shell: str) -> str:
        """What the daemon has written of the domains that begin with ``shell``."""
        begun = time.monotonic()
        while not self.settled():
            if time.monotonic() - begun > LONGEST:
                raise TimeoutError(f"the daemon doesn't come to an end: {self.status()}")
            time.sleep(0.5)
        found = kernel.sections((POLICY / "domain_policy.conf").read_text(), f"<kernel> {shell}")
        return "".join("\n".join([name, *lines]) + "\n\n" for name, lines in found.items())

    def settled(self) -> bool:
        """Whether everything that the kernel side has told is written."""
        status = self.status()
        return status["kernel"]["events"] == status["events"]["events"] and not status["unsaved"]

    def status(self) -> dict[str, Any]:
        """What ``sekisho system status`` tells."""
        told: dict[str, Any] = json.loads(self.sekisho("status", "--json"))
        return told

    def end(self) -> None:
        """It must not have missed anything."""
        status = self.status()
        print(json.dumps(status), file=sys.stderr)
        wrong = {name: status["kernel"][name] for name in ("lost", "crowded", "inconsistent") if status["kernel"][name]}
        if wrong:
            raise AssertionError(f"the kernel side has missed something: {wrong} {status['missing']}")

    def sekisho(self, *words: str) -> str:
        """What ``sekisho system`` says."""
        command = [sys.executable, "-I", "-c", LAUNCHER.format(self.sources), "system", *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise AssertionError(f"{words}: {ended.stdout}{ended.stderr}")
        return ended.stdout + ended.stderr


def directory(sources: str) -> None:
    """POLICY is a policy directory as it comes, but for what is learned: that is left as it is."""
    shutil.rmtree(POLICY, ignore_errors=True)
    subprocess.run([sys.executable, "-I", "-c", MAKE.format(sources, str(POLICY))], check=True)
    (POLICY / "rewrite.conf").write_text("")


ENGINES = {"supervisor": Supervisor, "system": System}
