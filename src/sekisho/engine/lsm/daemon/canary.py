"""The proof that what is in the kernel refuses: a process of ours, in a domain that grants nothing, tries to read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress

_REFUSED, _ALLOWED, _OTHER = b"r", b"a", b"o"


def is_refused(confine: Callable[[int], None], path: str = sys.executable) -> bool:
    """Whether a process that ``confine(pid)`` has been called for may not open ``path``, which everybody else may."""
    with open(path, "rb"):
        pass
    go, ready = os.pipe()
    answer, reply = os.pipe()
    pid = os.fork()
    if not pid:
        _child(go, ready, reply, path)
    os.close(go)
    os.close(reply)
    try:
        confine(pid)
        os.write(ready, b"g")
        return os.read(answer, 1) == _REFUSED
    finally:
        os.close(ready)
        os.close(answer)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _child(go: int, ready: int, reply: int, path: str) -> None:
    """Waits until it is confined, tries, and tells; never returns."""
    try:
        os.close(ready)
        if os.read(go, 1):
            try:
                os.open(path, os.O_RDONLY)
                os.write(reply, _ALLOWED)
            except PermissionError:
                os.write(reply, _REFUSED)
            except OSError:
                os.write(reply, _OTHER)
    finally:
        os._exit(0)
