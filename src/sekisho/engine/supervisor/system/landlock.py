"""Landlock: rights that a process gives up for itself, held by the kernel (landlock(7)).

A ruleset names the rights that are withheld (*handled*) and says below which objects, or for which ports,
they are left all the same. ``restrict`` can't be undone.
"""

from __future__ import annotations

import ctypes
import struct
from functools import cache
from typing import Final

from sekisho.engine.supervisor.system import libc

WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK = 1 << 6, 1 << 7, 1 << 8, 1 << 9
MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = 1 << 10, 1 << 11, 1 << 12
REFER, TRUNCATE = 1 << 13, 1 << 14
BIND_TCP, CONNECT_TCP = 1, 2
SCOPE_SIGNAL: Final = 2

REFER_ABI, TRUNCATE_ABI, NETWORK_ABI, SCOPE_ABI = 2, 3, 4, 6
"""The versions that these came with; before, REFER is always withheld and the others never."""

_OF_FILES: Final = WRITE_FILE | READ_FILE | TRUNCATE
"""What can be left on an object that is no directory."""
_CREATE, _ADD, _RESTRICT = "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"
_CREATE_RULESET_VERSION: Final = 1
_PATH_BENEATH, _NET_PORT = 1, 2


def abi() -> int:
    """The kernel's Landlock version, 0 without Landlock."""
    try:
        return libc.syscall(_CREATE, None, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


@cache
def known() -> tuple[int, int]:
    """(rights to files, rights to the network) that the running kernel can withhold, of those named here."""
    version = abi()
    files = (MAKE_SYM << 1) - 1 if version else 0
    files |= REFER if version >= REFER_ABI else 0
    files |= TRUNCATE if version >= TRUNCATE_ABI else 0
    return files, BIND_TCP | CONNECT_TCP if version >= NETWORK_ABI else 0


def create(files: int, network: int, scoped: int = 0) -> int:
    """A ruleset that withholds these rights, as a descriptor."""
    attribute = ctypes.create_string_buffer(struct.pack("QQQ", files, network, scoped), 24)
    return libc.syscall(_CREATE, attribute, 24 if scoped else 16, 0)


def leave_below(ruleset: int, fd: int, rights: int, *, directory: bool) -> None:
    """``rights`` (all of them handled) are left on the object behind ``fd`` and whatever is below it."""
    rights = rights if directory else rights & _OF_FILES
    if rights:
        attribute = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
        libc.syscall(_ADD, ruleset, _PATH_BENEATH, attribute, 0)


def leave_port(ruleset: int, port: int, rights: int) -> None:
    """``rights`` (all of them handled) are left for the TCP port ``port``."""
    attribute = ctypes.create_string_buffer(struct.pack("QQ", rights, port), 16)
    libc.syscall(_ADD, ruleset, _NET_PORT, attribute, 0)


def restrict(ruleset: int) -> None:
    """This thread, and whatever it gives birth to, is held to ``ruleset`` for good."""
    libc.syscall(_RESTRICT, ruleset, 0)
