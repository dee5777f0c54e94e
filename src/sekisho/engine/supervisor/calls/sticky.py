"""What protects openings in directories like /tmp: protected_regular and protected_fifos look at the caller."""

from __future__ import annotations

from stat import S_ISDIR, S_ISFIFO, S_ISREG, S_ISVTX, S_IWGRP, S_IWOTH
from typing import Final

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.plan import Object
from sekisho.engine.supervisor.system import procfs

SETTINGS: Final = "/proc/sys/fs/protected_"


def withheld(call: Call, found: Object) -> bool:
    """Whether opening ``found`` with O_CREAT fails with EACCES (may_create_in_sticky, fs/namei.c).

    It does where that is somebody else's, in a directory in which others may make what the caller takes for its own.
    """
    kind, owner = found.status.st_mode, found.status.st_uid
    folder = None if S_ISDIR(kind) else found.parent()
    if folder is None or not folder.perm & S_ISVTX or owner in (folder.uid, call.identity().uids[3]):
        return False
    level = _level("regular") if S_ISREG(kind) else _level("fifos") if S_ISFIFO(kind) else 1
    return bool((level and folder.perm & S_IWOTH) or (level >= 2 and folder.perm & S_IWGRP))


def _level(name: str) -> int:
    try:
        return int(procfs.read(SETTINGS + name))
    except FileNotFoundError:
        return 0
