"""One row of the table of system calls: see ``table``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.calls.shortcuts import Shortcut
from sekisho.engine.supervisor.plan import Answer, Plan
from sekisho.engine.supervisor.system.bpf import Where


@dataclass(frozen=True, slots=True)
class Row:
    """One system call. ``where``: the arguments with which it stops at all (none: always)."""

    name: str
    plan: Callable[[Call], Plan | Answer]
    operations: tuple[str, ...] = ()
    where: tuple[Where, ...] = ()
    always: bool = False
    """The planner runs, and its answer counts, in every mode."""
    mutates: bool = False
    """It changes what names mean."""
    shortcut: Shortcut | None = None
    """How a repetition is recognised."""
    guard: Callable[[Call], Answer] | None = None
    """Asked before wherever anything is enforced, whatever policy says of the call itself."""
