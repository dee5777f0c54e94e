"""In a virtual machine: programs that wait for the administrator, and what becomes of them.

``python -m tests.engine.lsm.guest_questions OBJECT`` prints ``what: outcome`` lines. This process becomes a manager's.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.engine.lsm import guest_system as guest
from tests.engine.lsm import managed
from tests.engine.lsm.guest_system import OTHER
from tests.engine.lsm.managed import POLICY, PROGRAMS, status, system, tell

from sekisho.cli.processes import read_processes
from sekisho.engine.lsm.daemon.stopped import is_stopped
from sekisho.interface.client import OpenFile, RunningTree, trees
from sekisho.interface.inquiry import Inquiry, parse_inquiry

WRITER = "<kernel> /tmp/programs/dd"
CLIENT = "<kernel> /tmp/programs/client"
EXCEPTIONS = """\
initialize_domain /tmp/programs/dd from any
initialize_domain /tmp/programs/client from any
"""
PATIENCE = 60
"""Seconds after which something doesn't happen any more, however busy the host is."""
MOVES = f"{CLIENT} //spare"
OPEN = "import os; os.write(2, b'.'); os.read(0, 1); open('/etc/hostname')"
CONNECT = "import socket; socket.socket(socket.AF_UNIX).connect('/run/sekisho/system.sock')"


def prepare(image: Path) -> None:
    guest.prepare(image)
    shutil.copy(shutil.which("dd") or "", PROGRAMS / "dd")
    shutil.copy(os.path.realpath(sys.executable), PROGRAMS / "client")
    with (POLICY / "exception_policy.conf").open("a") as file:
        file.write(EXCEPTIONS)
    with (POLICY / "domain_policy.conf").open("a") as file:
        file.writelines(f"{each}\nuse_profile 1\nuse_group 0\n\n" for each in (WRITER, CLIENT))


def started(program: str, *words: str, stdin: int | None = None) -> subprocess.Popen[bytes]:
    environment = {"PYTHONHOME": sys.base_prefix} if program == "client" else None
    return subprocess.Popen(
        [PROGRAMS / program, *words], env=environment, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def outcome(process: subprocess.Popen[bytes]) -> str:
    """How it ended; who is still stopped after a while is killed."""
    try:
        _, told = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        stopped = is_stopped(process.pid, process.pid)
        process.kill()
        return "stopped" if stopped else "running"
    return "refused" if b"not permitted" in told else f"{process.returncode}"


def question(query: OpenFile) -> Inquiry | None:
    """What is asked first, within a while."""
    if not query.wait_readable(PATIENCE):
        return None
    raw = query.read(65536)
    query.read(65536)
    return parse_inquiry(raw) if raw else None


def answer(query: OpenFile, inquiry: Inquiry | None, number: int) -> None:
    if inquiry is not None:
        query.write(f"A{inquiry.serial}={number}\n".encode())


def answered(query: OpenFile, process: subprocess.Popen[bytes], number: int) -> str:
    """The outcome, everything that is asked answered so; and what was asked."""
    asked = []
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if query.wait_readable(0.3) and (inquiry := question(query)) is not None:
            asked.append(inquiry.acl)
            answer(query, inquiry, number)
    return f"{outcome(process)} {'; '.join(asked)}"


def observed() -> tuple[RunningTree, OpenFile]:
    service = RunningTree(trees(POLICY)[0].path)
    query = service.open("query", administrator=True)
    query.readable()
    return service, query


def enforce() -> None:
    path = POLICY / "domain_policy.conf"
    text = path.read_text().replace("use_profile 1", "use_profile 3")
    path.write_text(text.replace(f"{CLIENT}\n", f"{CLIENT}\ntask manual_domain_transition {MOVES}\n"))


def waiting(service: RunningTree, query: OpenFile) -> None:
    """One that waits, and what others do to it."""
    process = started("cat", OTHER)
    asked = question(query)
    tell("asked", asked and asked.acl.replace("9p:", ""))
    tell("waits", is_stopped(process.pid, process.pid))
    tell("shown", [each.waiting is not None for each in read_processes(service) if each.pid == process.pid])
    for _ in range(20):
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.01)
    time.sleep(0.3)
    tell("let go by others", is_stopped(process.pid, process.pid))
    answer(query, asked, 1)
    tell("allowed", answered(query, process, 1))
    tell("allowed once", answered(query, started("cat", OTHER), 2))
    process = started("cat", OTHER)
    question(query)
    process.kill()
    tell("killed while it waits", process.wait(5))
    time.sleep(0.3)
    tell("forgotten", not query.readable())


def added(service: RunningTree, query: OpenFile) -> None:
    """What is asked for is made policy."""
    process = started("cat", OTHER)
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if query.wait_readable(0.3) and (inquiry := question(query)) is not None:
            file = service.open("domain_policy", administrator=True)
            file.write(f"select Q={inquiry.serial}\n{inquiry.line}\n".encode())
            file.close()
            answer(query, inquiry, 3)
    tell("made policy", outcome(process))
    tell("without a question", outcome(started("cat", OTHER)))


def penalise(tenths: int) -> None:
    path = POLICY / "profile.conf"
    path.write_text(re.sub("(?m)^3-PREFERENCE=.*$", f"3-PREFERENCE={{ enforcing_penalty={tenths} }}", path.read_text()))
    system("reload")


def moves(service: RunningTree) -> None:
    """A process writes to self_domain."""
    process = started("client", "-BSc", OPEN, stdin=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.read(1)
    file = service.open("self_domain")
    for name in (CLIENT, MOVES):
        try:
            tell(f"moves to {name}", file.write(name.encode(), process.pid, 0))
        except OSError as error:
            tell(f"moves to {name}", error.strerror)
    tell("has moved", file.read(200, process.pid, 0).decode())
    _, said = process.communicate(b"x", timeout=60)
    tell("is held there", said.decode().strip().rpartition("\n")[2])


def ends(query: OpenFile) -> None:
    """The administrator goes, and the daemon dies, while somebody waits."""
    process = started("cat", "/etc/group")
    question(query)
    query.close()
    tell("nobody left", outcome(process))
    tell("nobody there", outcome(started("cat", "/etc/group")))
    penalise(20)
    begin = time.monotonic()
    tell("after a penalty", outcome(started("cat", "/etc/group")))
    tell("slept", 2 <= time.monotonic() - begin)
    penalise(6000)
    sleeper = started("cat", "/etc/group")
    for _ in range(100):
        if is_stopped(sleeper.pid, sleeper.pid):
            break
        time.sleep(0.05)
    else:
        tell("sleeper", "doesn't")
    _, query = observed()
    daemon = int(str(status()["pid"]))  # a question is refused after a few seconds, which this may take
    process = started("cat", "/etc/group")
    question(query)
    tell("waits for the daemon", is_stopped(process.pid, process.pid))
    os.kill(daemon, signal.SIGKILL)
    tell("daemon killed", outcome(process))
    tell("who slept", outcome(sleeper))
    tell("without a daemon", outcome(started("cat", "/etc/group")))


def both_end() -> None:
    """The daemon dies, and at the same moment the process that would let everybody go."""
    _, query = observed()
    daemon = int(str(status()["pid"]))
    (guardian,) = Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
    process = started("cat", "/etc/group")
    question(query)
    os.kill(int(guardian), signal.SIGKILL)
    os.kill(daemon, signal.SIGKILL)
    time.sleep(1)
    tell("both killed", is_stopped(process.pid, process.pid))
    tell("another", system("start").returncode)
    tell("let go by the next start", outcome(process))


def command(*words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "sekisho", words[0], "-P", str(POLICY), *words[1:]],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return ended.stdout + ended.stderr


def scene() -> None:
    tell("start", system("start").returncode)
    tell("missing", status()["missing"])
    tell("learning", guest.read(guest.ALLOWED))
    tell("writing", outcome(started("dd", "if=/dev/zero", "of=/tmp/one", "count=1")))
    tell("learning to connect", outcome(started("client", "-BSc", CONNECT)))
    time.sleep(4)
    enforce()
    tell("reload", system("reload").returncode)
    tell("connecting", outcome(started("client", "-BSc", CONNECT)))
    moves(RunningTree(trees(POLICY)[0].path))
    service, query = observed()
    waiting(service, query)
    tell("several at once", answered(query, started("dd", "if=/dev/zero", "of=/tmp/two", "count=1"), 1))
    tell("written", os.path.exists("/tmp/two"))
    added(service, query)
    ends(query)
    tell("again", system("start").returncode)
    penalise(0)
    both_end()
    tell("ps", "/tmp/programs/admin" in command("ps"))
    tell("mode", command("mode", "/tmp/programs/cat", "disabled"))
    tell("disabled", guest.read("/etc/group"))
    tell("stop", system("stop").returncode)


if __name__ == "__main__":
    managed.play("tests.engine.lsm.guest_questions", prepare, scene)
