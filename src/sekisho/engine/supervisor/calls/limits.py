"""A caller's own limits, where what is done in its place would obey the supervisor's (getrlimit(2))."""

from __future__ import annotations

import os
import resource

from sekisho.engine.supervisor.call import Call
from sekisho.engine.supervisor.system import procfs

UNLIMITED = resource.RLIM_INFINITY


def descriptors_used_up(call: Call) -> bool:
    """Whether the caller has no descriptor left: then the kernel looks at nothing else, and makes nothing."""
    folder = f"/proc/{call.tid}/fd"
    try:
        limit = _limit(call.process.tgid, resource.RLIMIT_NOFILE, b"Max open files")
        # Before Linux 6.2 the size of that directory doesn't tell, and it has to be read.
        if 0 < os.stat(folder).st_size < limit:
            return False
        return sum(int(number) < limit for number in os.listdir(folder)) >= limit
    except OSError:
        return False


def file_size(call: Call) -> int:
    """How large the caller may make a file; UNLIMITED."""
    return _limit(call.process.tgid, resource.RLIMIT_FSIZE, b"Max file size")


def queue_memory(call: Call) -> int:
    """What the caller's message queues may take; UNLIMITED."""
    return _limit(call.process.tgid, resource.RLIMIT_MSGQUEUE, b"Max msgqueue size")


def _limit(pid: int, which: int, name: bytes) -> int:
    """The soft limit of process ``pid``; another user's limits are told by /proc alone."""
    try:
        return resource.prlimit(pid, which)[0]
    except PermissionError:
        text = procfs.read(f"/proc/{pid}/limits").partition(name)[2].split()[0]
        return UNLIMITED if text == b"unlimited" else int(text)
