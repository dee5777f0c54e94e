"""In the guest: one run of each program, learned by the kernel's TOMOYO and by Sekisho at the same time.

Reads {"sources": …, "programs": [{"name", "setup", "script"}]} from standard input; one JSON object a program goes to
standard output. The script is the argument of a shell, so the first domain is that shell's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.vm.guest import kernel

SHELL = "/usr/local/bin/oracle"
"""A shell of its own: its domain begins where it is executed, and nobody else executes it. It is bash, whose signal
handlers let calls start again: dash ends when a signal meets its fork on the way to a supervisor (docs/guide.md)."""
FIRST = f"<kernel> {SHELL}"
WORK = Path("/work")
POLICY = Path("/var/lib/sekisho-oracle")
PATIENCE = 1500
"""Seconds by the clock of the guest, which runs fast on a busy host."""
LAUNCHER = "import sys; sys.path.insert(0, {!r}); from sekisho.cli.main import main; sys.exit(main(sys.argv[1:]))"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C", "TZ": "UTC", "USER": "root"}


def run(words: list[str]) -> tuple[object, str]:
    """Exit status and output; whatever still runs in the end is killed."""
    with open("/var/tmp/output", "wb") as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=ENVIRONMENT, cwd=WORK,
            start_new_session=True,
        )  # fmt: skip
        try:
            status: object = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            status = "took too long"
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return status, Path("/var/tmp/output").read_text(errors="replace")


def learn(sources: str, program: dict[str, str]) -> dict[str, object]:
    """Both policies that come of one run of ``program``."""
    for path in (WORK, POLICY):
        shutil.rmtree(path, ignore_errors=True)
    WORK.mkdir()
    prepared = run(["/bin/sh", "-ec", program["setup"]])
    if prepared[0] != 0:
        return {"name": program["name"], "status": f"set-up: {prepared}"}
    for name in reversed(kernel.domains(FIRST)):
        kernel.write("domain_policy", f"delete {name}\n")
    kernel.write("domain_policy", f"{FIRST}\nuse_profile 1\nuse_group 0\n")
    sekisho = [sys.executable, "-I", "-c", LAUNCHER.format(sources), "learn", "-P", str(POLICY), "--"]
    make = "import sys; sys.path.insert(0, {!r}); from sekisho.store.directory import *; PolicyDirectory({!r}).create()"
    run([sys.executable, "-I", "-c", make.format(sources, str(POLICY))])
    (POLICY / "rewrite.conf").write_text("")
    begun = time.monotonic()
    status, output = run([*sekisho, SHELL, "-ec", program["script"]])
    return {
        "name": program["name"],
        "status": status,
        "output": output[-3000:],
        "seconds": round(time.monotonic() - begun, 1),
        "kernel": kernel.domains(FIRST),
        "sekisho": (POLICY / "domain_policy.conf").read_text(),
    }


def main() -> None:
    given = json.load(sys.stdin)
    shutil.copy("/bin/bash", SHELL)
    kernel.write("exception_policy", f"initialize_domain {SHELL} from any\n")
    for program in given["programs"]:
        print(json.dumps(learn(given["sources"], program)), flush=True)


if __name__ == "__main__":
    main()
