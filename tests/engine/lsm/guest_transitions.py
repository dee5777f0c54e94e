"""Runs in a virtual machine: where programs end up that are executed in each domain, and where the core has them; where
tasks end up that move otherwise."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.engine.lsm.enforced import Engine, report

from sekisho.decide.request import Facts, Task
from sekisho.domain.handlers import auto_handler
from sekisho.domain.transition import plan_execution
from sekisho.engine.lsm import layout
from sekisho.policy.model import Mode
from sekisho.policy.parser import parse_exception_policy

PLACE = Path("/tmp/programs")
PLAIN = ("plain", "reset", "start", "last", "stay", "moved", "number12", "numbers", "no", "far", "lost", "up", "child",
         "top", "named", "spaced name")  # fmt: skip
MINE = {"task_alloc", "opening", "opened", "inode_follow_link", "file_open", "bprm_creds_for_exec",
        "bprm_check_security", "bprm_creds_from_file", "bprm_committing_creds", "bprm_committed_creds"}  # fmt: skip
P = str(PLACE)
DOMAINS = rf"""
<kernel>
use_profile 0

<kernel> /lenient
use_profile 1
file execute {P}/number\$

<kernel> /lenient /below
use_profile 2

<kernel> /strict
use_profile 3
use_group 1
file execute {P}/plain
file execute {P}/reset
file execute {P}/start
file execute {P}/script
file execute {P}/link
file execute {P}/number\$ task.uid=1
file execute {P}/numbe\@ task.uid=0
file execute {P}/child child
file execute {P}/top initialize
file execute {P}/up parent
file execute {P}/stay keep
file execute {P}/far </nowhere>
file execute {P}/lost reset
file execute {P}/named /other/name

# The interpreter is read where the script is.
<kernel> /strict {P}/script
use_profile 3
file read {P}/plain

<kernel> /asked
use_profile 3
file execute {P}/plain keep
file execute {P}/script keep
file read {P}/plain
misc env A exec.realpath="{P}/script" path1.perm=0755
misc env B exec.realpath!="{P}/script"

<kernel> /bad
use_profile 9
file execute {P}/plain

# A handler that holds, one that doesn't, and one where nothing is enforced.
<kernel> /handled
use_profile 3
task auto_execute_handler {P}/plain task.uid=0
task auto_domain_transition <kernel> /elsewhere task.uid=1
file execute {P}/child
file execute {P}/plain

<kernel> /unhandled
use_profile 3
task auto_execute_handler {P}/plain task.uid=1
task denied_execute_handler {P}/plain
file execute {P}/child

<kernel> /loosely
use_profile 2
task auto_execute_handler {P}/plain

# It moves before the handler is looked for.
<kernel> /leaves
use_profile 0
task auto_domain_transition <kernel> /handled

<kernel> /standing
use_profile 3
task auto_domain_transition <kernel> /elsewhere task.uid=0
file read {P}/child

<kernel> /conditional
use_profile 3
task auto_domain_transition <kernel> /elsewhere task.uid=1
file read {P}/plain

<kernel> /granting
use_profile 3
file read {P}/plain auto_domain_transition="<kernel> /elsewhere"
file read {P}/child auto_domain_transition="/below"
file read {P}/far auto_domain_transition="<nowhere> /x"

<kernel> /elsewhere
use_profile 3
file read {P}/plain

</tmp/programs/reset>
use_profile 0
"""
EXCEPTIONS = rf"""
reset_domain {P}/reset from any
no_reset_domain {P}/reset from <kernel> /lenient
initialize_domain {P}/start from any
initialize_domain {P}/last from /below
no_initialize_domain {P}/start from <kernel> /lenient /below
keep_domain {P}/stay from <kernel> /lenient
keep_domain any from <kernel> /bad
aggregator {P}/mo\* /gone
aggregator {P}/no\* {P}/plain
acl_group 1 file execute {P}/up keep
acl_group 1 file execute {P}/spaced\040name
"""
PLACES = ("<kernel>", "<kernel> /lenient", "<kernel> /lenient /below", "<kernel> /strict", "<kernel> /bad",
          "<kernel> /handled", "<kernel> /unhandled", "<kernel> /loosely")  # fmt: skip
MOVES = ("standing | plain", "standing | child", "standing | plain in a thread", "conditional | plain",
         "granting | plain", "granting | child", "granting | far", "granting | stay")  # fmt: skip

VARIABLES = {"script A": True, "script B": False, "plain A": False, "plain B": True}
"""What a program may be given: of a script's file nothing is left when its variables are asked for."""


def prepare() -> None:
    """Programs that wait for the end of their input, a link to one of them, and a script."""
    PLACE.mkdir()
    # On an overlay the kernel asks twice for what is opened, under two names.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", PLACE], check=True)
    for name in PLAIN:
        shutil.copy("/bin/cat", PLACE / name)
    (PLACE / "link").symlink_to("plain")
    (PLACE / "links").symlink_to("link")
    (PLACE / "script").write_text(f"#!{P}/plain -\n")
    (PLACE / "script").chmod(0o755)


def executed(engine: Engine, domain: str, program: str | int, *variables: str) -> str:
    """Where the program is once it runs, or the name of the errno."""
    go, ready = os.pipe()
    answer, reply = os.pipe()
    end, hold = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(ready)
        os.read(go, 1)
        os.dup2(end, 0)
        try:
            os.execve(program, ["program"], dict.fromkeys(variables, "x"))
        except OSError as error:
            os.write(reply, errno.errorcode[error.errno or 0].encode())
        os._exit(0)
    os.close(reply)
    engine.put(pid, domain)
    os.close(ready)
    with os.fdopen(answer) as stream:
        said = stream.read()
    if not said:
        raw = engine.loaded.maps["tasks"].lookup_task(pid)
        task = layout.Task.from_buffer_copy(raw or bytes(layout.Task()))
        said = engine.publisher.domains.name(task.domain) or "nowhere"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for each in (go, end, hold):
        os.close(each)
    return said


def planned(engine: Engine, domain: str, name: str) -> str:
    """What the core says."""
    facts = Facts()
    facts.task = replace(Task(1, 1), uid=0)
    held = engine.policy.domains[domain]
    plan = plan_execution(engine.policy, held, name, facts)
    # Handlers don't run here: what they are to replace is refused where that is enforced.
    handled = auto_handler(engine.policy, held, facts) and plan.decision.mode is Mode.ENFORCING
    if not plan.decision.allowed or handled:
        return "EPERM"
    return plan.failure or plan.destination or domain


def moved(engine: Engine, domain: str, name: str, *, thread: bool) -> str:
    """Where a process is after it, or another of its threads, has read a file."""
    go, ready = os.pipe()
    answer, reply = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(go, 1)
        said = []
        work = threading.Thread(target=lambda: said.append(outcome(lambda: os.open(f"{P}/{name}", os.O_RDONLY))))
        if thread:
            work.start()
            work.join()
        else:
            work.run()
        os.write(reply, f"{said[0]} {outcome(lambda: os.open(f'{P}/plain', os.O_RDONLY))}".encode())
        signal.pause()
    os.close(reply)
    engine.put(pid, domain)
    os.write(ready, b"x")
    told = os.read(answer, 100).decode() or "killed"
    raw = engine.loaded.maps["tasks"].lookup_task(pid) if told != "killed" else None
    place = engine.publisher.domains.name(layout.Task.from_buffer_copy(raw).domain) if raw else "nowhere"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for each in (go, ready, answer):
        os.close(each)
    return f"{told} {place}"


def outcome(act: Callable[[], object]) -> str:
    """ "ok", or the name of the errno."""
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def main() -> None:
    """Prints for each domain and program where it ended up, and where the core says that it does."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    prepare()
    engine = Engine(Path(sys.argv[1]), DOMAINS, MINE)
    parse_exception_policy(EXCEPTIONS, engine.policy)
    engine.publisher.publish(engine.policy)
    descriptor = os.open(PLACE / "plain", os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    for domain in PLACES:
        for name in (*PLAIN, "link", "links", "script"):
            encoded = f"{P}/{name}".replace(" ", "\\040")
            report(
                f"{domain} | {name}", f"{executed(engine, domain, f'{P}/{name}')} = {planned(engine, domain, encoded)}"
            )
        expected = planned(engine, domain, f"{P}/plain")
        report(f"{domain} | opened", f"{executed(engine, domain, descriptor)} = {expected}")
        report(f"{domain} | through", f"{executed(engine, domain, f'/proc/self/fd/{descriptor}')} = {expected}")
    for each, granted in VARIABLES.items():
        name, variable = each.split(" ")
        said = executed(engine, "<kernel> /asked", f"{P}/{name}", variable)
        report(f"variable | {each}", f"{said} = {'<kernel> /asked' if granted else 'EPERM'}")
    report("leaves | child", executed(engine, "<kernel> /leaves", f"{P}/child"))
    time.sleep(1.1)  # what was told before is told again
    engine.told()
    executed(engine, "<kernel> /handled", f"{P}/child")
    report("told", "; ".join(engine.told()))
    for each in MOVES:
        place, _, name = each.partition(" | ")
        name, _, thread = name.partition(" in ")
        report(each, moved(engine, f"<kernel> /{place}", name, thread=bool(thread)))


if __name__ == "__main__":
    main()
