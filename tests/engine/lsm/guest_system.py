"""In a virtual machine: the engine from its start to its end, as its administrator and a program under it see it.

``python -m tests.engine.lsm.guest_system OBJECT`` prints ``what: outcome`` lines. This process becomes a manager's.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.engine.lsm import managed
from tests.engine.lsm.managed import POLICY, PROGRAMS, status, system, tell

from sekisho.store.directory import PolicyDirectory

ALLOWED, OTHER = "/etc/hostname", "/etc/passwd"
EXCEPTIONS = f"initialize_domain /tmp/programs/cat from any\n{managed.ADMINISTRATOR}deny_autobind 32768-60000\n"
DOMAIN = "<kernel> /tmp/programs/cat"
HANDLED = "<kernel> /tmp/programs/handled"
RESERVED = Path("/proc/sys/net/ipv4/ip_local_reserved_ports")


def prepare(image: Path) -> None:
    managed.prepare(image, "cat")
    PolicyDirectory(POLICY).create()
    (POLICY / "exception_policy.conf").write_text(EXCEPTIONS)
    (POLICY / "manager.conf").write_text("/tmp/programs/admin\n")
    with (POLICY / "domain_policy.conf").open("a") as file:
        file.write(f"{HANDLED}\nuse_profile 3\ntask auto_execute_handler /bin/true\n\n")
        file.write(f"{DOMAIN}\nuse_profile 1\nuse_group 0\n\n")


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


def ports() -> str:
    """What the kernel doesn't choose, and whether it chose that from the rest."""
    with socket.socket() as chosen:
        chosen.bind(("", 0))
        return f"{RESERVED.read_text().strip()} {chosen.getsockname()[1] > 60000}"


def scene() -> None:
    RESERVED.write_text("8080\n")
    started = system("start")
    tell("start", started.returncode)
    tell("told", started.stderr)
    tell("unserved", status()["unserved"])
    tell("ports", ports())
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
    for each in ("lost", "homeless", "crowded", "inconsistent"):
        tell(each, found["kernel"][each])  # type: ignore[index]
    tell("panic", system("panic").returncode)
    tell("panicking", read(OTHER))
    tell("ports in panic", RESERVED.read_text())
    waiting = subprocess.Popen([PROGRAMS / "cat", "-", OTHER], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1)
    tell("resumed", system("start").returncode)
    _, said = waiting.communicate(b"")
    tell("begun in panic", "refused" if b"not permitted" in said else "read")
    tell("after panic", read(OTHER))
    tell("ports after panic", ports())
    tell("stop", system("stop").returncode)
    tell("stopped", read(OTHER))
    tell("ports when stopped", RESERVED.read_text())
    refused = [json.loads(line) for line in (POLICY / "audit.jsonl").read_text().splitlines()]
    told = [each["acl"] for each in refused if each["mode"] == "enforcing"]
    tell("audited", f"file read {OTHER}" in told)
    tell("refusals", "; ".join(dict.fromkeys(told)))


if __name__ == "__main__":
    managed.play("tests.engine.lsm.guest_system", prepare, scene)
