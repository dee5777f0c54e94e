"""Which process is in which domain: lineage that a confined program can't forge.

A task that asks for the first time is placed by its parent: every fork goes through us
(``credits`` counts those whose child hasn't shown itself), a parent's children are placed
before it may leave its domain by exec or exit, and an orphan is placed only where all
parents that died owing a child agree. What stays ambiguous has no domain: ``Lost``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sekisho.engine.supervisor.acting.identity import Identity
from sekisho.engine.supervisor.system import procfs
from sekisho.engine.supervisor.system.memory import Memory
from sekisho.policy.model import Domain

_PF_EXITING: Final = 4
_LISTINGS: Final = 16
"""How often children are listed: a process that forks all the while can't hold everybody up."""


_ENDED: Final = 1000


class Lost(Exception):
    """A task whose domain can't be known."""


@dataclass(slots=True, eq=False)
class Process:
    """One thread group of the tree."""

    tgid: int
    domain: Domain
    pidfd: int
    parent: int
    memory: Memory | None = None
    shares_files: bool = False
    """Somebody else may change its descriptor table while we look."""
    shares_apart: bool = False
    """So may somebody who is no thread of it."""
    threads: set[int] = field(default_factory=set)
    credits: int = 0
    """Forks let through whose child we haven't met."""
    fork_identity: Identity | None = None
    """What the one child we haven't met was born with, when that is known."""
    reaper: bool = False
    """It asked to adopt orphans (PR_SET_CHILD_SUBREAPER), so a child of it may be another's."""
    former: set[str] = field(default_factory=set)
    """Domains it left by exec while still owing a child."""
    identities: dict[int, Identity] = field(default_factory=dict)
    """By thread: the rights and view its calls are performed with, as far as known."""
    warned: set[str] = field(default_factory=set)
    """Warnings already given about it."""
    streams: set[str] = field(default_factory=set)
    """Sockets, as /proc names them, on which nobody asks who sent what is received."""
    expected_roots: tuple[int, set[tuple[int, int]]] | None = None
    """After a chroot was let through: the thread that asked, and the only root directories it may have."""
    nested: bool = False
    """It may be in a pid namespace of its own, where numbers are others."""
    nests: bool = False
    """Its next children may be."""
    executing: bool = False
    """An execve was let through and its outcome isn't known yet."""
    execute_handler: bool = False
    """It runs as an execute handler, or was forked by one; until its next exec."""

    def open_memory(self, tid: int) -> Memory:
        """The address space, opened once per program image."""
        if self.memory is None:
            self.memory = Memory(tid)
        return self.memory

    def forget_image(self, *, same_rights: bool) -> None:
        """After an exec nothing of the old program image is used; ids may have changed, too."""
        identity = self.identities.get(self.tgid) if same_rights else None
        if self.memory is not None:
            self.memory.close()
            self.memory = None
        self.shares_files = self.shares_apart = False
        self.threads.clear()
        self.identities.clear()
        if identity is not None:
            self.identities[self.tgid] = identity


class Tasks:
    """Every process of the tree that has asked for something and not yet died."""

    def __init__(self, born: Callable[[Process], None]) -> None:
        self.born = born
        self.by_tgid: dict[int, Process] = {}
        self.by_tid: dict[int, Process] = {}
        self.dead_debts: dict[Domain, int] = {}
        self.ended: dict[int, Domain] = {}
        """The domains of those that died last: a process can be named until its parent has taken note."""
        self.nested = False
        """Some process has made a pid namespace."""
        self.sharing = False
        """Some process has had a child with its own descriptor table."""
        self._top = os.getpid()

    def find(self, tid: int) -> Process:
        """The process that task ``tid`` belongs to, placed now if it is new; raises Lost or OSError (gone)."""
        process = self.by_tid.get(tid)
        if process is not None and (process.tgid == tid or os.path.exists(f"/proc/{process.tgid}/task/{tid}")):
            return process
        tgid, parent = lineage(tid)
        known = self.by_tgid.get(tgid)
        if known is None:
            known = self._place(tgid, parent)
        known.threads.add(tid)
        self.by_tid[tid] = known
        return known

    def member(self, tid: int) -> Process | None:
        """The process of the tree that task ``tid`` belongs to; None for one outside; raises Lost or OSError (gone)."""
        tgid, parent = lineage(tid)
        known = self.by_tgid.get(tgid)
        if known is not None:
            return known
        while parent not in self.by_tgid and parent != self._top:
            if not parent:
                return None
            parent = lineage(parent)[1]
        return self.find(tid)

    def add(self, tgid: int, domain: Domain, parent: int) -> Process:
        """A process now known to be in ``domain``."""
        process = Process(tgid, domain, os.pidfd_open(tgid), parent)
        self.by_tgid[tgid] = self.by_tid[tgid] = process
        self.born(process)
        return process

    def _place(self, tgid: int, parent: int) -> Process:
        owner = self.by_tgid.get(parent)
        givers = [owner] if owner is not None and owner.credits > 0 else []
        domains = {giver.domain for giver in givers}
        if owner is None or owner.reaper:
            givers += [other for other in self.by_tgid.values() if other.credits > 0 and _dying(other.tgid)]
            domains = {giver.domain for giver in givers} | set(self.dead_debts)
        if len(domains) != 1 or any(giver.former for giver in givers):
            raise Lost(f"process {tgid}: forked by {parent or 'nobody'}, in any of {len(domains)} domains")
        child = self.add(tgid, domains.pop(), parent)
        if givers:
            self._inherit(child, givers[0])
        else:
            child.shares_files, child.shares_apart = True, self.sharing
            child.nested = child.nests = self.nested
            self._pay(child.domain)
        return child

    def _inherit(self, child: Process, giver: Process) -> None:
        if giver.credits == 1 and giver.fork_identity is not None:
            child.identities[child.tgid] = giver.fork_identity
        giver.credits -= 1
        child.shares_files, child.shares_apart = giver.shares_files, giver.shares_apart
        child.execute_handler = giver.execute_handler
        child.nested = child.nests = giver.nests
        # The first process of a pid namespace adopts whoever is orphaned there.
        child.reaper = giver.nests

    def _pay(self, domain: Domain) -> None:
        self.dead_debts[domain] -= 1
        if self.dead_debts[domain] <= 0:
            del self.dead_debts[domain]

    def settle(self, process: Process) -> None:
        """Every child that ``process`` has now is placed in the domain it has now."""
        if process.credits <= 0:
            return
        # The kernel's list leaves children out when others end while it is read (proc_tid_children(5)).
        seen: set[int] | None = None
        for _ in range(_LISTINGS):
            now = set(children(process.tgid))
            if now == seen:
                if not process.shares_files:
                    process.credits = 0
                return
            seen = now
            for child in now - self.by_tgid.keys():
                with contextlib.suppress(OSError, Lost):
                    self.find(child)

    def forget_identities(self) -> None:
        """Root directories may have changed, also of those that share one."""
        for process in self.by_tgid.values():
            process.identities.clear()
            process.fork_identity = None

    def gone(self, process: Process) -> None:
        """``process`` is dead: its ids may be anybody's as soon as its parent has taken note."""
        self.ended.pop(process.tgid, None)
        self.ended[process.tgid] = process.domain
        if len(self.ended) > _ENDED:
            del self.ended[next(iter(self.ended))]
        if process.credits > 0:
            self.dead_debts[process.domain] = self.dead_debts.get(process.domain, 0) + process.credits
        if process.memory is not None:
            process.memory.close()
        os.close(process.pidfd)
        self.by_tgid.pop(process.tgid, None)
        for tid in (process.tgid, *process.threads):
            if self.by_tid.get(tid) is process:
                del self.by_tid[tid]

    def thread_gone(self, tid: int) -> None:
        """Thread ``tid`` (not a leader) is about to end."""
        process = self.by_tid.get(tid)
        if process is not None and process.tgid != tid:
            process.threads.discard(tid)
            del self.by_tid[tid]


def _dying(tgid: int) -> bool:
    """Whether a process has begun to end, so that its children may be somebody else's already."""
    try:
        fields = procfs.read(f"/proc/{tgid}/stat", 1024).rpartition(b")")[2].split()
    except OSError:
        return True
    return fields[0] in (b"Z", b"X") or bool(int(fields[6]) & _PF_EXITING)


def lineage(tid: int) -> tuple[int, int]:
    """(thread group, parent's thread group) of a task, from proc_pid_status(5); OSError when it is gone."""
    status = procfs.read(f"/proc/{tid}/status", 512)
    return int(procfs.field(status, b"Tgid")), int(procfs.field(status, b"PPid"))


def children(tgid: int) -> list[int]:
    """The children of every thread of a process (proc_tid_children(5)), or by asking every process for its parent."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{tgid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            found += map(int, procfs.read_all(f"/proc/{tgid}/task/{thread}/children").split())
        except FileNotFoundError:
            if os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
                continue
            return _children_by_parent(tgid)
        except OSError:
            continue
    return found


def _children_by_parent(tgid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if lineage(int(entry))[1] == tgid:
                    found.append(int(entry))
            except OSError:
                continue
    return found
