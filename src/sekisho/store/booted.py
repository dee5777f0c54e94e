"""What the policy of a whole system begins with: which programs begin domains, and who may change the system.

Everything learns, but for what a system can't be without: its end, the programs that install other programs, and the
engine's own. These are managers, and nothing is refused them: what they install is what policy will be about, and who
was refused everything else has to be able to say so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sekisho.policy.parser import parse_domain_policy, parse_exception_policy, parse_manager
from sekisho.store.directory import PolicyDirectory

SYSTEMD: Final = "/usr/lib/systemd/systemd"
EXECUTOR: Final = "/usr/lib/systemd/systemd-executor"
SHUTDOWN: Final = "/usr/lib/systemd/systemd-shutdown"
ENGINE: Final = "<sekisho>"
"""Where the engine's own processes are."""
INSTALLERS: Final = tuple(
    f"/usr/bin/{name}" for name in ("apt", "apt-get", "aptitude", "dpkg", "dnf", "dnf5", "rpm", "zypper", "pacman")
)
ENDING: Final = (1, 6, 9, 15, 18)
"""The signals that systemd ends services with: hang-up, abort (the watchdog's), kill, terminate, continue."""
MANAGING: Final = (
    r"file mkdir /sys/fs/cgroup/\{\*\}/ 0-07777",
    r"file read/getattr/rmdir /sys/fs/cgroup/\{\*\}/",
    r"file create /sys/fs/cgroup/\{\*\}/\* 0-07777",
    r"file read/write/getattr/truncate /sys/fs/cgroup/\{\*\}/\*",
    r"file symlink/unlink /run/systemd/units/\*",
    r"file rename /run/systemd/units/\* /run/systemd/units/\*",
    *(rf"file read/getattr {where}/systemd/system/{name}" for where in ("/usr/lib", "/etc", "/run")
      for name in (r"\*", r"\{\*\}/\*")),
)  # fmt: skip
"""What systemd does with each service: its control group, its name among those that run, its unit. A service that
was never started again while everything was learned can be all the same."""
EVERYWHERE: Final = ("0.0.0.0-255.255.255.255", f"::-{':'.join(['ffff'] * 8)}")
"""All Internet addresses."""
_LEARNING: Final = 1

Present = Callable[[str], bool]


def lay_out(directory: PolicyDirectory, program: str, present: Present = os.path.exists) -> bool:
    """The directory is there, with what the policy of a whole system begins with; whether that is new.

    Lines that are there stay. ``program`` is the engine's own, as systemd starts it.
    """
    directory.create()
    policy = directory.load()
    began = f"<kernel> {SYSTEMD}" in policy.domains
    free = [program, *(name for name in INSTALLERS if present(name))]
    parse_exception_policy(_text(exceptions(free)), policy)
    if not began:
        policy.domains["<kernel>"].profile = _LEARNING
        parse_domain_policy(_text(domains(free, program)), policy)
    parse_manager(_text(f"<kernel> {name}" for name in free), policy)
    directory.save(policy)
    return not began


def exceptions(free: Iterable[str]) -> Iterator[str]:
    """Lines of the exception policy."""
    # What systemd starts begins a domain: a service is <kernel> /usr/sbin/nginx, whatever had it started.
    yield f"initialize_domain any from <kernel> {SYSTEMD}"
    yield f"initialize_domain any from <kernel> {EXECUTOR}"
    # A user's systemd isn't the system's.
    yield f"no_initialize_domain {SYSTEMD} from <kernel> {SYSTEMD}"
    yield f"no_initialize_domain {SYSTEMD} from <kernel> {EXECUTOR}"
    # Installing is one domain, whoever begins it and whatever scripts are part of it. So is administering the engine:
    # from a shell that has just come to be enforced, too.
    for name in free:
        yield f"initialize_domain {name} from any"
        yield f"keep_domain any from <kernel> {name}"


def domains(free: Iterable[str], program: str) -> Iterator[str]:
    """Lines of the domain policy; nothing is refused to programs in ``free``."""
    yield from (f"<kernel> {SYSTEMD}", f"use_profile {_LEARNING}", "use_group 0", "")
    # Process 1 executes itself anew on `systemctl daemon-reexec`.
    yield f"file execute {SYSTEMD} keep task.pid=1"
    # These happen when no daemon is there to learn them.
    yield f"file execute {SHUTDOWN}"
    yield f"file execute/getattr {program}"
    # This happens only where something has failed, and should be heard of.
    yield "network unix dgram send /run/systemd/journal/socket"
    yield from ("file write /dev/kmsg", "file write /dev/console")
    # So does ending what doesn't end by itself, or doesn't answer: the engine's own daemon, too.
    yield from (f"ipc signal {number} {whose}" for number in ENDING for whose in ("<kernel>", ENGINE))
    yield from MANAGING
    # What comes to a socket before the service that it is for has received from it is asked of who made it.
    yield from (f"network unix dgram recv {name}" for name in (r"\*", r"\*/\*", r"\*/\{\*\}/\*"))
    yield from (f"network inet dgram recv {addresses} 0-65535" for addresses in EVERYWHERE)
    for name in (SHUTDOWN, *free):
        yield from ("", f"<kernel> {name}", "use_profile 0", "use_group 0", "")


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
