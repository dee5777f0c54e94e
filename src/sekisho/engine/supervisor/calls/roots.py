"""What a chroot(2) that was let through came to, seen when its caller asks for something again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sekisho.engine.supervisor.plan import PROCEED, Answer
from sekisho.engine.supervisor.tasks import Process

if TYPE_CHECKING:
    from sekisho.engine.supervisor.supervisor import Supervisor


def expect(process: Process, tid: int, allowed: set[tuple[int, int]]) -> Answer:
    """From its next call on, ``process`` must have one of the ``allowed`` root directories."""
    process.expected_roots = (tid, allowed)
    return PROCEED


def check(supervisor: Supervisor, process: Process, tid: int) -> None:
    """``process`` is killed unless its root directory is one of those expected."""
    assert process.expected_roots is not None
    changing, allowed = process.expected_roots
    if tid == changing:
        process.expected_roots = None
    root = os.stat(f"/proc/{tid}/root")
    supervisor.tasks.forget_identities()
    if (root.st_dev, root.st_ino) not in allowed:
        supervisor.executions.kill(process, "the directory of a chroot was swapped")
