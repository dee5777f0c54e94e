"""Runs in a virtual machine: what two files can be exchanged for each other with."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from tests.engine.lsm.enforced import Engine, report

ONE, OTHER = Path("/run/one"), Path("/run/other")
GRANTED = {
    "nothing": (),
    "there": (f"file rename {ONE} {OTHER}",),
    "back": (f"file rename {OTHER} {ONE}",),
    "both": (f"file rename {ONE} {OTHER}", f"file rename {OTHER} {ONE}"),
    "a pattern": (r"file rename /run/\* /run/\*",),
}
LIBC = ctypes.CDLL(None, use_errno=True)


def exchange() -> None:
    """renameat2(2) with RENAME_EXCHANGE."""
    if LIBC.renameat2(-100, os.fsencode(ONE), -100, os.fsencode(OTHER), 2):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def main() -> None:
    """Prints what comes of it in domains that are granted one rename, the other, or both."""
    ONE.touch()
    OTHER.touch()
    policy = "<kernel>\nuse_profile 0\n\n"
    for name, entries in GRANTED.items():
        policy += "\n".join([f"<kernel> /{name.replace(' ', '-')}", "use_profile 3", *entries, "", ""])
    engine = Engine(Path(sys.argv[1]), policy, {"path_rename", "path_exchange", "task_alloc"})
    for name in GRANTED:
        report(name, engine.attempt(f"<kernel> /{name.replace(' ', '-')}", exchange))


if __name__ == "__main__":
    main()
