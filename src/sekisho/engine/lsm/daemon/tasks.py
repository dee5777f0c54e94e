"""Processes that were there before the engine: which domain each would be in, had it been there first.

A process is in its parent's domain while it runs its parent's program, else where executing its program leads from
there. What it was before that, and parents that have ended, nobody knows: so it is an inference, and marked as one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from sekisho.decide.request import Execution, Facts, Task
from sekisho.domain.transition import enter, plan_execution
from sekisho.names.word import encode
from sekisho.policy.model import Domain, Policy

_PF_KTHREAD: Final = 0x00200000
_DELETED: Final = b" (deleted)"
_KERNEL: Final = "<kernel>"
_IDS: Final = {b"Uid": ("uid", "euid", "suid", "fsuid"), b"Gid": ("gid", "egid", "sgid", "fsgid")}


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc shows it; ``program`` is None for who runs none: the kernel's own threads, what the kernel is
    about to execute, who is ending.
    """

    pid: int
    parent: int
    started: int
    program: bytes | None
    argv: tuple[bytes, ...] = ()
    ids: tuple[tuple[str, int], ...] = ()
    is_kernel: bool = False
    """It is one of the kernel's own threads."""


def processes(root: str = "/proc") -> list[Process]:
    """Every process, oldest first; parents that are alive come before their children."""
    found = [process for pid in map(int, filter(str.isdigit, os.listdir(root))) if (process := look_at(pid, root))]
    return list(_parents_first(sorted(found, key=lambda process: (process.started, process.pid))))


def look_at(pid: int, root: str = "/proc") -> Process | None:
    """The process ``pid``; None if it is gone."""
    try:
        fields = _read(f"{root}/{pid}/stat").rpartition(b") ")[2].split()
        is_kernel = bool(int(fields[6]) & _PF_KTHREAD)
        program = None if is_kernel else _program(f"{root}/{pid}")
        argv = tuple(_read(f"{root}/{pid}/cmdline").split(b"\0")[:-1])
        ids = tuple(_ids(_read(f"{root}/{pid}/status")))
        return Process(pid, int(fields[1]), int(fields[19]), program, argv, ids, is_kernel)
    except (OSError, IndexError, ValueError):
        return None


def began(pid: int, root: str = "/proc") -> int | None:
    """When the process began, in hundredths of a second since the machine did; None if it is gone."""
    try:
        return int(_read(f"{root}/{pid}/stat").rpartition(b") ")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def threads(pid: int, root: str = "/proc") -> list[int]:
    """The threads of the process besides its first; none if it is gone."""
    try:
        return [tid for tid in map(int, os.listdir(f"{root}/{pid}/task")) if tid != pid]
    except OSError:
        return []


def infer(policy: Policy, found: Iterable[Process], known: dict[int, tuple[Domain, bytes | None]]) -> None:
    """``known`` has the domain and program of each process found; domains that are needed exist in ``policy``.

    Parents have to come before their children.
    """
    kernel = policy.domains[_KERNEL]
    for process in found:
        if process.pid not in known:
            domain, program = known.get(process.parent, (kernel, None))
            known[process.pid] = (_domain_of(policy, process, domain, program), process.program)


def _domain_of(policy: Policy, process: Process, domain: Domain, program: bytes | None) -> Domain:
    if process.program is None:
        return policy.domains[_KERNEL]
    if process.program == program:
        return domain
    name = encode(process.program)
    facts = Facts()
    facts.task = replace(Task(process.pid, process.parent, global_pid=process.pid), **dict(process.ids))  # type: ignore[arg-type]
    facts.execution = Execution(name, process.argv, ())
    plan = plan_execution(policy, domain, name, facts)
    return domain if plan.failure else enter(policy, plan, domain)


def _parents_first(found: list[Process]) -> Iterator[Process]:
    by_pid = {process.pid: process for process in found}
    done: set[int] = set()
    for process in found:
        line = []
        at: Process | None = process
        while at is not None and at.pid not in done:
            done.add(at.pid)
            line.append(at)
            at = by_pid.get(at.parent)
        yield from reversed(line)


def _program(process: str) -> bytes | None:
    """What the process runs; its threads may outlive its first, and go on running it."""
    for link in (f"{process}/exe", *(f"{process}/task/{thread}/exe" for thread in os.listdir(f"{process}/task"))):
        with suppress(FileNotFoundError):
            return os.readlink(os.fsencode(link)).removesuffix(_DELETED)
    return None


def _ids(status: bytes) -> Iterator[tuple[str, int]]:
    for line in status.splitlines():
        name, _, rest = line.partition(b":")
        if name in _IDS:
            yield from zip(_IDS[name], map(int, rest.split()), strict=True)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
