"""Finding the program that a command names, as a shell does, before anything is made or run."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from typing import Final

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126


def check(name: str) -> int:
    """0 if the program ``name`` can be executed; otherwise why not is told, and a shell's exit status returned."""
    found = 0
    for path in _candidates(name):
        if os.path.isfile(path):
            if os.access(path, os.X_OK, effective_ids=True):
                return 0
            found = errno.EACCES
        elif "/" in name and os.path.isdir(path):
            found = errno.EISDIR
        elif "/" in name and os.path.lexists(path) and os.path.exists(path):
            found = errno.EACCES
    if found:
        print(f"sekisho: {_shown(name)}: {os.strerror(found)}", file=sys.stderr)
        return NOT_EXECUTABLE
    print(f"sekisho: {_shown(name)}: {'no such file' if '/' in name else 'command not found'}", file=sys.stderr)
    return NOT_FOUND


def _candidates(name: str) -> Iterator[str]:
    if "/" in name:
        yield name
        return
    for folder in os.get_exec_path():
        yield os.path.join(folder or ".", name)


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
