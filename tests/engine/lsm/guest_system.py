"""In a virtual machine: the engine from its start to its end, as its administrator and a program under it see it.

``python -m tests.engine.lsm.guest_system OBJECT`` prints ``what: outcome`` lines. This process becomes a manager's.
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

from sekisho.engine.lsm.daemon import machine
from sekisho.store.directory import PolicyDirectory

POLICY = Path("/tmp/policy")
PROGRAMS = Path("/tmp/programs")
ALLOWED, OTHER = "/etc/hostname", "/etc/passwd"
EXCEPTIONS = """\
initialize_domain /tmp/programs/cat from any
initialize_domain /tmp/programs/admin from any
keep_domain any from /tmp/programs/admin
"""
DOMAIN = "<kernel> /tmp/programs/cat"


def prepare(image: Path) -> None:
    if image.resolve() != machine.OBJECT:
        shutil.copy(image, machine.OBJECT)
    PROGRAMS.mkdir()
    for name, program in (("cat", "cat"), ("admin", "dash")):
        shutil.copy(shutil.which(program) or "", PROGRAMS / name)
    PolicyDirectory(POLICY).create()
    (POLICY / "exception_policy.conf").write_text(EXCEPTIONS)
    (POLICY / "manager.conf").write_text("/tmp/programs/admin\n")
    with (POLICY / "domain_policy.conf").open("a") as file:
        file.write(f"{DOMAIN}\nuse_profile 1\nuse_group 0\n\n")


def system(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sekisho", "system", "-P", str(POLICY), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def tell(what: str, outcome: object) -> None:
    print(f"{what}: {' / '.join(str(outcome).split(chr(10))).strip(' /')}", flush=True)


def read(name: str) -> str:
    """What the program under policy says of a file."""
    try:
        ended = subprocess.run([PROGRAMS / "cat", name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    except OSError as error:
        return f"not executed: {error.strerror}"
    return "refused" if b"not permitted" in ended.stderr else "read" if not ended.returncode else ended.stderr.decode()


def both(when: str) -> None:
    for name in (ALLOWED, OTHER):
        tell(f"{when}, {name}", read(name))


def learned() -> bool:
    """Whether what the program did is on disk, within a while."""
    for _ in range(100):
        if f"file read {ALLOWED}" in (POLICY / "domain_policy.conf").read_text().replace("/getattr", ""):
            return True
        time.sleep(0.2)
    return False


def enforce() -> None:
    path = POLICY / "domain_policy.conf"
    head, _, tail = path.read_text().partition(f"{DOMAIN}\n")
    path.write_text(f"{head}{DOMAIN}\n{tail.replace('use_profile 1', 'use_profile 3', 1)}")


def status() -> dict[str, object]:
    found: dict[str, object] = json.loads(system("--json", "status").stdout)
    return found


def scene() -> None:
    tell("start", system("start").returncode)
    tell("learning", read(ALLOWED))
    tell("learned", learned())
    time.sleep(3)
    enforce()
    tell("reload", system("reload").returncode)
    both("enforced")
    daemon = int(str(status()["pid"]))
    os.kill(daemon, signal.SIGKILL)
    time.sleep(1)
    both("killed")
    tell("alone", system("status").stdout.split("\n")[0])
    again = system("start")
    tell("again", f"{again.returncode} {again.stderr}")
    both("taken over")
    found = status()
    tell("another daemon", found["pid"] != daemon)
    tell("missing", found["missing"])
    tell("lost", found["kernel"]["lost"])  # type: ignore[index]
    tell("panic", system("panic").returncode)
    tell("panicking", read(OTHER))
    tell("resumed", system("start").returncode)
    tell("after panic", read(OTHER))
    tell("stop", system("stop").returncode)
    tell("stopped", read(OTHER))
    refused = [json.loads(line) for line in (POLICY / "audit.jsonl").read_text().splitlines()]
    told = [each["acl"] for each in refused if each["mode"] == "enforcing"]
    tell("audited", f"file read {OTHER}" in told)
    tell("refusals", "; ".join(dict.fromkeys(told)))


def main() -> None:
    if sys.argv[1] == "scene":
        scene()
        return
    prepare(Path(sys.argv[1]))
    # The shell is the manager, and what it runs keeps its domain; the engine isn't there yet to see it being executed.
    command = f"{sys.executable} -B -m tests.engine.lsm.guest_system scene; :"
    os.execv(PROGRAMS / "admin", [str(PROGRAMS / "admin"), "-c", command])


if __name__ == "__main__":
    main()
