"""What a worker is held to by the kernel, whatever it is asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from sekisho.engine.supervisor.system import landlock, libc

_PR_SET_NO_NEW_PRIVS: Final = 38


@dataclass(eq=False, slots=True)
class Fence:
    """A Landlock ruleset that workers are held to, as long as it ``stands``."""

    ruleset: int
    stands: bool = True

    def enter(self) -> None:
        """This process is held to the ruleset for good; it gives up gaining rights by exec, which Landlock asks for."""
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict(self.ruleset)
        os.close(self.ruleset)


def try_out() -> None:
    """This process stands inside a fence that holds; raises OSError where it can't enter one, or that doesn't hold."""
    Fence(landlock.create(landlock.READ_DIR, 0)).enter()
    try:
        os.listdir("/")
    except PermissionError:
        return
    raise OSError(0, "what it withholds can still be done")


def can_enter() -> bool:
    """Whether a process of ours can be held so: a container may forbid it, and 16 fences around us are too many."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            try_out()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0
