"""In a virtual machine: memory runs out, by programs of which each has less of it than the daemon.

``python -m tests.engine.lsm.guest_pressure OBJECT`` prints ``what: outcome`` lines. This process becomes a manager's.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from tests.engine.lsm import managed
from tests.engine.lsm.guest_system import ALLOWED, both, read
from tests.engine.lsm.managed import POLICY, PROGRAMS, status, system, tell

from sekisho.store.directory import PolicyDirectory

PROFILE = """\
4-COMMENT=----- Opening alone -----
4-CONFIG={ mode=disabled grant_log=no reject_log=no }
4-CONFIG::file::open={ mode=enforcing grant_log=no reject_log=yes }
"""
DOMAINS = f"<kernel> {PROGRAMS}/cat\nuse_profile 1\n\n<kernel> {PROGRAMS}/dd\nuse_profile 1\n\n"
EACH = "20M"
MOST = 100


def prepare(image: Path) -> None:
    managed.prepare(image, "cat", "dd")
    PolicyDirectory(POLICY).create()
    names = f"initialize_domain {PROGRAMS}/cat from any\ninitialize_domain {PROGRAMS}/dd from any\n"
    (POLICY / "exception_policy.conf").write_text(names + managed.ADMINISTRATOR)
    (POLICY / "manager.conf").write_text(f"{PROGRAMS}/admin\n")
    for name, text in (("profile.conf", PROFILE), ("domain_policy.conf", DOMAINS)):
        with (POLICY / name).open("a") as file:
            file.write(text)


def enforce() -> None:
    """What the programs do is learned, and then what they open is held to that."""
    policy = POLICY / "domain_policy.conf"
    read(ALLOWED)
    subprocess.run([PROGRAMS / "dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1", "status=none"], check=True)
    while "/dev/zero" not in policy.read_text():
        time.sleep(0.2)
    time.sleep(3)
    policy.write_text(policy.read_text().replace("use_profile 1", "use_profile 4"))
    tell("reload", system("reload").returncode)


def rank(score: int, process: int | str = "self") -> None:
    """How soon the process is ended when memory is short."""
    Path(f"/proc/{process}/oom_score_adj").write_text(str(score))


def take(daemon: int) -> str:
    """Who was ended first, of programs that take memory and keep it, and the daemon."""
    _, full = os.pipe()
    command = [str(PROGRAMS / "dd"), "if=/dev/zero", f"bs={EACH}", "count=1", "status=none"]
    hogs: list[subprocess.Popen[bytes]] = []
    first = ""
    while not first and len(hogs) < MOST:
        hogs.append(subprocess.Popen(command, stdout=full, preexec_fn=lambda: rank(0)))  # noqa: PLW1509
        time.sleep(0.2)
        first = "the daemon" if is_gone(daemon) else "a program" if any(hog.poll() == -9 for hog in hogs) else ""
    for hog in hogs:
        hog.kill()
        hog.wait()
    return first or f"nobody of {len(hogs)}"


def is_gone(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def scene() -> None:
    rank(-1000)
    rank(-1000, os.getppid())
    tell("start", system("start").returncode)
    daemon = int(str(status()["pid"]))
    tell("asks for", Path(f"/proc/{daemon}/oom_score_adj").read_text())
    enforce()
    both("before")
    rank(0, daemon)
    tell("first, as others", take(daemon))
    both("without it")
    tell("again", system("start").returncode)
    tell("first", take(int(str(status()["pid"]))))
    both("after")
    tell("stop", system("stop").returncode)


if __name__ == "__main__":
    managed.play("tests.engine.lsm.guest_pressure", prepare, scene)
