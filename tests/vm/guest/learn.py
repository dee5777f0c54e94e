"""In the guest: one run of each program, learned by the kernel's TOMOYO and by Sekisho at the same time.

Reads {"sources": …, "engine": …, "programs": [{"name", "setup", "script"}]} from standard input; one JSON object a
program goes to standard output. The script is the argument of a shell, so the first domain is that shell's.
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
from tests.vm.guest.engines import ENGINES, Supervisor

WORK = Path("/work")
PATIENCE = 1500
"""Seconds by the clock of the guest, which runs fast on a busy host."""
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


def learn(engine: Supervisor, program: dict[str, str]) -> dict[str, object]:
    """Both policies that come of one run of ``program``."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    prepared = run(["/bin/sh", "-ec", program["setup"]])
    if prepared[0] != 0:
        return {"name": program["name"], "status": f"set-up: {prepared}"}
    shell = engine.shell(program["name"])
    first = f"<kernel> {shell}"
    for name in reversed(kernel.domains(first)):
        kernel.write("domain_policy", f"delete {name}\n")
    kernel.write("domain_policy", f"{first}\nuse_profile 1\nuse_group 0\n")
    words = engine.words(shell)
    begun = time.monotonic()
    status, output = run([*words, "-ec", program["script"]])
    return {
        "name": program["name"],
        "status": status,
        "output": output[-3000:],
        "seconds": round(time.monotonic() - begun, 1),
        "kernel": kernel.domains(first),
        "sekisho": engine.learned(shell),
    }


def main() -> None:
    given = json.load(sys.stdin)
    engine = ENGINES[given["engine"]](given["sources"])
    engine.begin([program["name"] for program in given["programs"]])
    for program in given["programs"]:
        print(json.dumps(learn(engine, program)), flush=True)
    engine.end()


if __name__ == "__main__":
    main()
