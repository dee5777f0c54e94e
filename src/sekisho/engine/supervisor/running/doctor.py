"""What can be enforced on this machine, as this user: everything found out by trying, nothing by version."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sekisho.engine.finding import Finding as Finding
from sekisho.engine.supervisor.acting import fence
from sekisho.engine.supervisor.running import rehearsal
from sekisho.engine.supervisor.running.rehearsal import Outcomes
from sekisho.engine.supervisor.system import abi, landlock, libc

_CAPABILITIES: Final = {
    0: "CAP_CHOWN",
    1: "CAP_DAC_OVERRIDE",
    6: "CAP_SETGID",
    7: "CAP_SETUID",
    18: "CAP_SYS_CHROOT",
    19: "CAP_SYS_PTRACE",
    21: "CAP_SYS_ADMIN",
    27: "CAP_MKNOD",
}
_SYS_ADMIN: Final = 21
_PTRACE: Final = (
    "it needs CAP_SYS_PTRACE, or /proc/sys/kernel/yama/ptrace_scope 0 or 1 (`sysctl kernel.yama.ptrace_scope=1`); "
    "in a container also a seccomp profile that lets ptrace(2) and process_vm_writev(2) pass"
)
_MEMORY: Final = "the same rules as for ptrace: " + _PTRACE
_SECCOMP: Final = "it needs Linux 5.19 or newer with CONFIG_SECCOMP_FILTER, and a container that lets seccomp(2) pass"
_NOT_REACHED: Final = "not tried, for something before it failed"


def examine() -> list[Finding]:
    """Every finding, in the order in which a run would meet them."""
    return [replace(finding, hint="") if finding.ok else finding for finding in _findings()]


def _findings() -> Iterator[Finding]:
    architecture = abi.native()
    machine = os.uname().machine
    supported = f"Sekisho knows the system calls of {', '.join(abi.ARCHITECTURES)}; run it on one of these"
    yield Finding("architecture", architecture is not None, f"{machine}, {os.uname().release}", supported)
    if architecture is None:
        return
    held = capabilities()
    privileged = _SYS_ADMIN in held
    outcomes = rehearsal.rehearse(privileged=privileged)
    yield _filter(outcomes)
    yield from (_step(outcomes, *row) for row in _STEPS)
    yield _resolve()
    yield _optional(
        outcomes,
        "wake-up",
        "synchronous wake-up",
        "",
        "not there: every mediated call takes longer (it came with Linux 6.6)",
    )
    yield _optional(outcomes, "children", "list of a process's children", "", _SLOW_CHILDREN)
    yield _landlock(outcomes)
    yield _fences()
    yield _privileges(held)


_STEPS: Final = (
    ("proc", "/proc", "mounted, and all of it is there", "mount it: mount -t proc proc /proc"),
    ("getfd", "taking a descriptor over (pidfd_getfd)", "", _PTRACE),
    ("notification", "stopping and answering a call", "", _SECCOMP),
    ("hand over", "handing a descriptor over (ADDFD with SEND)", "", _SECCOMP),
    ("read memory", "reading a program's memory", "", _MEMORY),
    ("write memory", "writing a program's memory", "", _MEMORY),
    ("ptrace", "watching an exec (ptrace)", "", _PTRACE),
)
"""Steps of the rehearsal that nothing works without: step, name, detail when it works, hint when not."""

_SLOW_CHILDREN: Final = (
    "not there (a kernel without CONFIG_PROC_CHILDREN): programs with many processes are followed more slowly"
)


def _filter(outcomes: Outcomes) -> Finding:
    problem, _, hint = outcomes.get("filter", _NOT_REACHED).partition("; ")
    return Finding("seccomp user notification", not problem, problem or "a tree of processes can be supervised", hint)


def _step(outcomes: Outcomes, step: str, name: str, detail: str, hint: str) -> Finding:
    problem = outcomes.get(step, _NOT_REACHED)
    return Finding(name, not problem, problem or detail, hint)


def _optional(outcomes: Outcomes, step: str, name: str, detail: str, lost: str) -> Finding:
    return Finding(name, True, detail if outcomes.get(step) == "" else lost, "")


def _resolve() -> Finding:
    how = libc.OpenHow(os.O_PATH | os.O_CLOEXEC, libc.RESOLVE_NO_MAGICLINKS | libc.RESOLVE_NO_SYMLINKS)
    problem = rehearsal.in_child(lambda: os.close(libc.openat2(libc.AT_FDCWD, b"/", how)))
    return Finding(
        "careful opening (openat2)", not problem, problem, "a container's filter refuses it; allow openat2(2)"
    )


def _landlock(outcomes: Outcomes) -> Finding:
    name, version = "Landlock around the tree", landlock.abi()
    if outcomes.get("signal scope") == "":
        return Finding(name, True, f"ABI {version}: programs can signal and trace only each other", "")
    if not version:
        return Finding(name, True, f"not there: {_UNSCOPED}", "")
    return Finding(name, True, f"ABI {version} can't scope signals (it came with ABI 6, Linux 6.12): {_UNSCOPED}", "")


_UNSCOPED: Final = "signals and ptrace are held off the supervisor call by call only"


def _fences() -> Finding:
    name, version = "Landlock under the checks", landlock.abi()
    problem = rehearsal.in_child(fence.try_out)
    if problem:
        return Finding(name, True, f"not there ({problem}): what policy says is held by the supervisor alone", "")
    missing = [what for abi, what in _FENCED_SINCE.items() if version < abi]
    but = f"; not {', '.join(missing)} (a newer kernel could)" if missing else ""
    detail = f"ABI {version}: should a check fail, the kernel still holds each domain to the {_FENCED}{but}"
    return Finding(name, True, detail, "")


_FENCED: Final = "files and folders that policy lets it open, make, remove and move, and to its TCP ports"
_FENCED_SINCE: Final = {
    landlock.REFER_ABI: "moving",
    landlock.TRUNCATE_ABI: "truncating",
    landlock.NETWORK_ABI: "TCP ports",
}
"""What a fence holds by the version that it takes, beside what each can hold."""


def _privileges(held: frozenset[int]) -> Finding:
    if _SYS_ADMIN not in held:
        who = "root without CAP_SYS_ADMIN" if not os.geteuid() else "an ordinary user"
        detail = f"{who}: programs gain no rights by exec (su, sudo, ping and other setuid programs run with yours)"
        return Finding("privileges", True, detail, "")
    missing = [name for number, name in _CAPABILITIES.items() if number not in held]
    if missing:
        detail = (
            f"root without {', '.join(missing)}: enforcing can't act for programs that change user, root or namespace"
        )
        return Finding("privileges", True, detail, "")
    return Finding("privileges", True, "root: setuid programs and daemons that change user are followed", "")


def capabilities() -> frozenset[int]:
    """The numbers of the effective capabilities of this process; none where they can't be read."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            line = next((line for line in status if line.startswith("CapEff:")), "CapEff: 0")
    except OSError:
        return frozenset()
    bits = int(line[7:], 16)
    return frozenset(number for number in range(64) if bits >> number & 1)
