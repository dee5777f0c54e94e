"""What keeps the tree away from its supervisor: Landlock's signal scope, and being unreadable."""

from __future__ import annotations

import ctypes
import struct
from typing import Final

from sekisho.engine.supervisor.system import libc, procfs

_PR_SET_NAME: Final = 15
_PR_SET_PDEATHSIG: Final = 1
_NAME: Final = b"sekisho-keeper"
"""Of a program's own name there is no more than 15 bytes."""
_BUFFER: Final = ctypes.create_string_buffer(_NAME)
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_CREATE_RULESET, _RESTRICT_SELF = "landlock_create_ruleset", "landlock_restrict_self"
_CREATE_RULESET_VERSION: Final = 1
_SCOPE_SIGNAL: Final = 2
_SCOPE_ABI: Final = 6


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 without Landlock."""
    try:
        return libc.syscall(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


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
    if landlock_abi() < _SCOPE_ABI:
        return False
    attribute = ctypes.create_string_buffer(struct.pack("QQQ", 0, 0, _SCOPE_SIGNAL), 24)
    ruleset = libc.syscall(_CREATE_RULESET, attribute, 24, 0)
    libc.syscall(_RESTRICT_SELF, ruleset, 0)
    return True
