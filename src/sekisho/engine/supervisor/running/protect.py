"""What keeps the tree away from its supervisor: Landlock's signal scope, and being unreadable."""

from __future__ import annotations

import ctypes
import os
from typing import Final

from sekisho.engine.supervisor.system import landlock, libc, procfs

_PR_SET_NAME: Final = 15
_PR_SET_PDEATHSIG: Final = 1
_NAME: Final = b"sekisho-keeper"
"""Of a program's own name there is no more than 15 bytes."""
_BUFFER: Final = ctypes.create_string_buffer(_NAME)
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38


def mark() -> None:
    """This process is known by its name as a supervisor, or one of its workers, to those of other trees."""
    libc.prctl(_PR_SET_NAME, ctypes.addressof(_BUFFER))


def is_marked(pid: int) -> bool:
    """Whether process ``pid`` is some tree's supervisor or worker, or says it is; raises OSError when it is gone."""
    return procfs.read(f"/proc/{pid}/comm").rstrip(b"\n") == _NAME


def hide() -> None:
    """This process can't be traced, nor its memory read, by others of its user."""
    libc.prctl(_PR_SET_DUMPABLE, 0)


def end_with_parent(number: int) -> None:
    """This process gets signal ``number`` when its parent dies, whatever programs it executes (0: none)."""
    libc.prctl(_PR_SET_PDEATHSIG, number)


def no_new_privileges() -> None:
    """This process and its descendants gain no rights by exec (PR_SET_NO_NEW_PRIVS)."""
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1)


def scope_signals() -> bool:
    """This process and its descendants can signal and trace only each other; False where Landlock can't say that."""
    if landlock.abi() < landlock.SCOPE_ABI:
        return False
    ruleset = landlock.create(0, 0, landlock.SCOPE_SIGNAL)
    try:
        landlock.restrict(ruleset)
    finally:
        os.close(ruleset)
    return True
